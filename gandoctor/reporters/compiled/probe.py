# Made from templates/probe.html.j2 by `python -m gandoctor.reporters.compiled`: change that.
JINJA = '3.1'
MADE_FROM = 'd3402cc24b76db6ac151b8eaf7a5717e59198066e02f8232c5e8a364fcdf1093'
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'probe.html.j2'

def root(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    l_0_run = resolve('run')
    try:
        t_1 = environment.filters['capitalize']
    except KeyError:
        @internalcode
        def t_1(*unused):
            raise TemplateRuntimeError("No filter named 'capitalize' found.")
    pass
    yield '<section class="card" id="'
    yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'id')))
    yield 'probe">\n<h'
    yield escape(environment.finalize((environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'level') + 1)))
    yield ' class="title">Probe: '
    yield escape(environment.finalize(environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'probe'), 'headline')))
    yield '</h'
    yield escape(environment.finalize((environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'level') + 1)))
    yield '>\n<p class="meta">'
    yield escape(environment.finalize(environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'probe'), 'made')))
    yield '.</p>\n'
    if environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'probe'), 'tested'):
        pass
        yield '<ul class="plain">\n'
        for (l_1_outcome, l_1_title, l_1_why) in environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'probe'), 'tested'):
            _loop_vars = {}
            pass
            yield '<li><b>'
            yield escape(environment.finalize(t_1(l_1_outcome)))
            yield '</b>: '
            yield escape(environment.finalize(l_1_title))
            yield '<br>'
            yield escape(environment.finalize(l_1_why))
            yield '</li>\n'
        l_1_outcome = l_1_title = l_1_why = missing
        yield '</ul>\n'
    if environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'probe'), 'notes'):
        pass
        yield '<ul>'
        for l_1_note in environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'probe'), 'notes'):
            _loop_vars = {}
            pass
            yield '<li>'
            yield escape(environment.finalize(l_1_note))
            yield '</li>'
        l_1_note = missing
        yield '</ul>\n'
    if environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'probe'), 'figures'):
        pass
        yield '<div class="wide" tabindex="0"><table class="stack">\n<thead><tr><th scope="col">Figure</th><th scope="col" class="num">Value</th><th scope="col">What it is</th></tr></thead>\n<tbody>\n'
        for (l_1_name, l_1_value, l_1_text) in environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'probe'), 'figures'):
            _loop_vars = {}
            pass
            yield '<tr><td><code>'
            yield escape(environment.finalize(l_1_name))
            yield '</code></td><td class="num">'
            yield escape(environment.finalize(l_1_value))
            yield '</td><td>'
            yield escape(environment.finalize(l_1_text))
            yield '</td></tr>\n'
        l_1_name = l_1_value = l_1_text = missing
        yield '</tbody></table></div>\n'
    if environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'probe'), 'layers'):
        pass
        yield '<div class="wide" tabindex="0"><table class="stack">\n<thead><tr><th scope="col">Player</th><th scope="col">Layer</th><th scope="col" class="num">Gradient</th><th scope="col" class="num">over weights</th></tr></thead>\n<tbody>\n'
        for (l_1_player, l_1_name, l_1_norm, l_1_relative) in environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'probe'), 'layers'):
            _loop_vars = {}
            pass
            yield '<tr><td>'
            yield escape(environment.finalize(l_1_player))
            yield '</td><td><code>'
            yield escape(environment.finalize(l_1_name))
            yield '</code></td><td data-l="gradient" class="num">'
            yield escape(environment.finalize(l_1_norm))
            yield '</td><td data-l="over weights" class="num">'
            yield escape(environment.finalize(l_1_relative))
            yield '</td></tr>\n'
        l_1_player = l_1_name = l_1_norm = l_1_relative = missing
        yield '</tbody></table></div>\n'
    yield '</section>'

blocks = {}
debug_info = '1=19&2=21&3=27&4=29&6=32&7=36&11=44&12=47&14=55&18=58&19=62&23=70&27=73&28=77'
