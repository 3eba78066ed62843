# Made from templates/page.html.j2 by `python -m gandoctor.reporters.compiled`: change that.
JINJA = '3.1'
MADE_FROM = '99a52f08dd831a64deb049b53daffd4f0fc674795f7e3723ca3c37c8bc253897'
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'page.html.j2'

def root(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    l_0_policy = resolve('policy')
    l_0_title = resolve('title')
    l_0_style = resolve('style')
    l_0_made = resolve('made')
    l_0_back = resolve('back')
    l_0_script = resolve('script')
    try:
        t_1 = environment.tests['defined']
    except KeyError:
        @internalcode
        def t_1(*unused):
            raise TemplateRuntimeError("No test named 'defined' found.")
    pass
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="'
    yield escape(environment.finalize((undefined(name='policy') if l_0_policy is missing else l_0_policy)))
    yield '">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n<meta name="robots" content="noindex">\n<link rel="icon" href="data:,">\n<title>'
    yield escape(environment.finalize((undefined(name='title') if l_0_title is missing else l_0_title)))
    yield ' - gandoctor</title>\n<style>'
    yield escape(environment.finalize((undefined(name='style') if l_0_style is missing else l_0_style)))
    yield '</style>\n</head>\n<body>\n<main>\n<p class="brand"><b>gandoctor</b> '
    yield from context.blocks['brand'][0](context)
    if environment.getattr((undefined(name='made') if l_0_made is missing else l_0_made), 'date'):
        pass
        yield ', '
        yield escape(environment.finalize(environment.getattr((undefined(name='made') if l_0_made is missing else l_0_made), 'date')))
    if (t_1((undefined(name='back') if l_0_back is missing else l_0_back)) and (undefined(name='back') if l_0_back is missing else l_0_back)):
        pass
        yield ' <a class="back" href="'
        yield escape(environment.finalize((undefined(name='back') if l_0_back is missing else l_0_back)))
        yield '">all runs</a>'
    yield '</p>\n'
    yield from context.blocks['body'][0](context)
    yield '</main>\n<footer><p>'
    yield escape(environment.finalize(environment.getattr((undefined(name='made') if l_0_made is missing else l_0_made), 'tool')))
    if environment.getattr((undefined(name='made') if l_0_made is missing else l_0_made), 'date'):
        pass
        yield ', '
        yield escape(environment.finalize(environment.getattr((undefined(name='made') if l_0_made is missing else l_0_made), 'date')))
    if environment.getattr((undefined(name='made') if l_0_made is missing else l_0_made), 'command'):
        pass
        yield ': <code>'
        yield escape(environment.finalize(environment.getattr((undefined(name='made') if l_0_made is missing else l_0_made), 'command')))
        yield '</code>'
    yield '<br>\nMade from the log alone; nothing was sent anywhere.</p></footer>\n<script>'
    yield escape(environment.finalize((undefined(name='script') if l_0_script is missing else l_0_script)))
    yield '</script>\n</body>\n</html>'

def block_brand(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    _block_vars = {}
    pass
    yield 'training report'

def block_body(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    _block_vars = {}
    l_0_index = resolve('index')
    l_0_runs = resolve('runs')
    pass
    if (undefined(name='index') if l_0_index is missing else l_0_index):
        pass
        template = environment.get_template('index.html.j2', 'page.html.j2')
        gen = template.root_render_func(template.new_context(context.get_all(), True, {}))
        try:
            for event in gen:
                yield event
        finally: gen.close()
    for l_1_run in (undefined(name='runs') if l_0_runs is missing else l_0_runs):
        _loop_vars = {}
        pass
        template = environment.get_template('run.html.j2', 'page.html.j2')
        gen = template.root_render_func(template.new_context(context.get_all(), True, {'run': l_1_run}))
        try:
            for event in gen:
                yield event
        finally: gen.close()
    l_1_run = missing

blocks = {'brand': block_brand, 'body': block_body}
debug_info = '5=24&11=26&12=28&16=30&17=41&26=43&28=54&16=57&17=67&18=77&19=79&21=85&22=88'
