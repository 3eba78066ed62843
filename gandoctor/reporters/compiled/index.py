# Made from templates/index.html.j2 by `python -m gandoctor.reporters.compiled`: change that.
JINJA = '3.1'
MADE_FROM = 'f6e34d0ea708ac6f73f8f7d6b77313910289093f0da9e0b8a32ebbf383b79754'
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'index.html.j2'

def root(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    l_0_title = resolve('title')
    l_0_index = resolve('index')
    l_0_runs = resolve('runs')
    pass
    yield '<section class="card index"><h1 class="title">'
    yield escape(environment.finalize((undefined(name='title') if l_0_title is missing else l_0_title)))
    yield '</h1><p class="meta">'
    yield escape(environment.finalize(environment.getattr((undefined(name='index') if l_0_index is missing else l_0_index), 'verdicts')))
    yield '</p>\n'
    if environment.getattr((undefined(name='index') if l_0_index is missing else l_0_index), 'thinned'):
        pass
        yield '<p class="meta">'
        yield escape(environment.finalize(environment.getattr((undefined(name='index') if l_0_index is missing else l_0_index), 'thinned')))
        yield '</p>\n'
    yield '<div class="wide" tabindex="0"><table class="stack">\n<thead><tr><th>Run</th><th>Verdict</th><th>Since</th><th>Cause</th></tr></thead>\n<tbody>\n'
    for l_1_run in (undefined(name='runs') if l_0_runs is missing else l_0_runs):
        _loop_vars = {}
        pass
        yield '<tr class="'
        yield escape(environment.finalize(environment.getattr(environment.getattr(l_1_run, 'report'), 'verdict')))
        yield '"><td><a href="#'
        yield escape(environment.finalize(environment.getattr(l_1_run, 'id')))
        yield 'run">'
        yield escape(environment.finalize(environment.getattr(environment.getattr(environment.getattr(l_1_run, 'report'), 'run'), 'name')))
        yield '</a></td><td class="word">'
        yield escape(environment.finalize(environment.getattr(environment.getattr(l_1_run, 'report'), 'verdict')))
        yield '</td><td data-l="since" class="when">'
        yield escape(environment.finalize(environment.getattr(l_1_run, 'since')))
        yield '</td><td data-l="cause" class="cause">'
        yield escape(environment.finalize(environment.getattr(l_1_run, 'cause')))
        yield '</td></tr>\n'
    l_1_run = missing
    yield '</tbody></table></div>\n</section>'

blocks = {}
debug_info = '1=15&2=19&3=22&8=25&9=29'
