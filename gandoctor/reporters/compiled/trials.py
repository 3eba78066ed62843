# Made from templates/trials.html.j2 by `python -m gandoctor.reporters.compiled`: change that.
JINJA = '3.1'
MADE_FROM = 'ff19363d1c55d696269a91759a1b662531f8878508ee36ebbdb96c6671e47347'
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'trials.html.j2'

def root(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    l_0_run = resolve('run')
    pass
    yield '<section class="card" id="'
    yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'id')))
    yield 'trials">\n<h'
    yield escape(environment.finalize((environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'level') + 1)))
    yield ' class="title">Trials: '
    yield escape(environment.finalize(environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'trials'), 'headline')))
    yield '</h'
    yield escape(environment.finalize((environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'level') + 1)))
    yield '>\n<p class="meta">'
    yield escape(environment.finalize(environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'trials'), 'made')))
    yield '; '
    yield escape(environment.finalize(environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'trials'), 'caution')))
    yield '.</p>\n'
    if environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'trials'), 'notes'):
        pass
        yield '<ul>'
        for l_1_note in environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'trials'), 'notes'):
            _loop_vars = {}
            pass
            yield '<li>'
            yield escape(environment.finalize(l_1_note))
            yield '</li>'
        l_1_note = missing
        yield '</ul>\n'
    yield '<div class="wide" tabindex="0"><table class="stack">\n<thead><tr><th scope="col">Arm</th><th scope="col">Change</th><th scope="col">Median and range of seeds</th><th scope="col">Outcome</th></tr></thead>\n<tbody>\n'
    for (l_1_name, l_1_change, l_1_said, l_1_outcome) in environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'trials'), 'rows'):
        _loop_vars = {}
        pass
        yield '<tr><td>'
        yield escape(environment.finalize(l_1_name))
        yield '</td><td>'
        if l_1_change:
            pass
            yield '<code>'
            yield escape(environment.finalize(l_1_change))
            yield '</code>'
        yield '</td><td data-l="median and range of seeds">'
        yield escape(environment.finalize(l_1_said))
        yield '</td><td data-l="outcome">'
        yield escape(environment.finalize(l_1_outcome))
        yield '</td></tr>\n'
    l_1_name = l_1_change = l_1_said = l_1_outcome = missing
    yield '</tbody></table></div>\n</section>'

blocks = {}
debug_info = '1=13&2=15&3=21&4=25&5=28&10=37&11=41'
