# Made from templates/folder.html.j2 by `python -m gandoctor.reporters.compiled`: change that.
JINJA = '3.1'
MADE_FROM = 'b7e60c7ef8410de51be59a8474326acc729f63749146d198e183ea9096769681'
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'folder.html.j2'

def root(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    parent_template = None
    pass
    parent_template = environment.get_template('page.html.j2', 'folder.html.j2')
    for name, parent_block in parent_template.blocks.items():
        context.blocks.setdefault(name, []).append(parent_block)
    yield from parent_template.root_render_func(context)

def block_body(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    _block_vars = {}
    l_0_title = resolve('title')
    l_0_verdicts = resolve('verdicts')
    l_0_rows = resolve('rows')
    l_0_splits = resolve('splits')
    try:
        t_1 = environment.filters['format']
    except KeyError:
        @internalcode
        def t_1(*unused):
            raise TemplateRuntimeError("No filter named 'format' found.")
    try:
        t_2 = environment.filters['number']
    except KeyError:
        @internalcode
        def t_2(*unused):
            raise TemplateRuntimeError("No filter named 'number' found.")
    try:
        t_3 = environment.tests['none']
    except KeyError:
        @internalcode
        def t_3(*unused):
            raise TemplateRuntimeError("No test named 'none' found.")
    pass
    yield '<section class="card index"><h1 class="title">'
    yield escape(environment.finalize((undefined(name='title') if l_0_title is missing else l_0_title)))
    yield '</h1><p class="meta">'
    yield escape(environment.finalize((undefined(name='verdicts') if l_0_verdicts is missing else l_0_verdicts)))
    yield '</p>\n<p class="find" hidden><label>Find <input type="search" data-find="runs"></label> <span class="meta" data-count="runs"></span></p>\n<div class="wide" tabindex="0"><table class="stack" data-sort id="runs">\n<thead><tr><th>Run</th><th>Verdict</th><th class="num">Belief</th><th>Cause</th><th>Since</th><th class="num">FID</th><th class="num">D\'s rate</th><th class="num">G\'s rate</th><th>D\'s and G\'s loss</th></tr></thead>\n<tbody>\n'
    for l_1_r in (undefined(name='rows') if l_0_rows is missing else l_0_rows):
        _loop_vars = {}
        pass
        yield '<tr class="'
        yield escape(environment.finalize(environment.getattr(l_1_r, 'verdict')))
        yield '"><td><a href="'
        yield escape(environment.finalize(environment.getattr(l_1_r, 'href')))
        yield '">'
        yield escape(environment.finalize(environment.getattr(l_1_r, 'name')))
        yield '</a></td><td class="word" data-v="'
        yield escape(environment.finalize(environment.getattr(l_1_r, 'order')))
        yield '">'
        yield escape(environment.finalize(environment.getattr(l_1_r, 'verdict')))
        yield '</td><td data-l="belief" class="num" data-v="'
        yield escape(environment.finalize((environment.getattr(l_1_r, 'p') if (not t_3(environment.getattr(l_1_r, 'p'))) else '')))
        yield '">'
        yield escape(environment.finalize(environment.getattr(l_1_r, 'sure')))
        yield '</td><td data-l="cause" class="cause">'
        yield escape(environment.finalize(environment.getattr(l_1_r, 'cause')))
        yield '</td><td data-l="since" class="when" data-v="'
        yield escape(environment.finalize((environment.getattr(l_1_r, 'onset') if (not t_3(environment.getattr(l_1_r, 'onset'))) else '')))
        yield '">'
        yield escape(environment.finalize(environment.getattr(l_1_r, 'since')))
        yield '</td><td data-l="FID" class="num" data-v="'
        yield escape(environment.finalize((environment.getattr(l_1_r, 'quality') if (not t_3(environment.getattr(l_1_r, 'quality'))) else '')))
        yield '">'
        if (not t_3(environment.getattr(l_1_r, 'quality'))):
            pass
            yield escape(environment.finalize(t_2(environment.getattr(l_1_r, 'quality'))))
        yield '</td><td data-l="D\'s rate" class="num" data-v="'
        yield escape(environment.finalize((environment.getattr(l_1_r, 'lr_d') if (not t_3(environment.getattr(l_1_r, 'lr_d'))) else '')))
        yield '">'
        if (not t_3(environment.getattr(l_1_r, 'lr_d'))):
            pass
            yield escape(environment.finalize(t_1('%g', environment.getattr(l_1_r, 'lr_d'))))
        yield '</td><td data-l="G\'s rate" class="num" data-v="'
        yield escape(environment.finalize((environment.getattr(l_1_r, 'lr_g') if (not t_3(environment.getattr(l_1_r, 'lr_g'))) else '')))
        yield '">'
        if (not t_3(environment.getattr(l_1_r, 'lr_g'))):
            pass
            yield escape(environment.finalize(t_1('%g', environment.getattr(l_1_r, 'lr_g'))))
        yield '</td><td class="spark" aria-hidden="true"><span>'
        yield escape(environment.finalize(environment.getattr(l_1_r, 'd')))
        yield '</span><br><span>'
        yield escape(environment.finalize(environment.getattr(l_1_r, 'g')))
        yield '</span></td></tr>\n'
    l_1_r = missing
    yield '</tbody></table></div>\n</section>\n'
    if (undefined(name='splits') if l_0_splits is missing else l_0_splits):
        pass
        yield '<section class="card index"><h2>Which setting separates failing from healthy runs</h2>\n<p class="meta">Each setting that differs, at its best cut; shares with 95 % intervals. A best cut of many is found by chance, too: where the intervals meet nothing is told.</p>\n<div class="wide" tabindex="0"><table class="stack">\n<thead><tr><th>Here</th><th>failing</th><th>There</th><th>failing</th><th>Told apart</th></tr></thead>\n<tbody>\n'
        for l_1_s in (undefined(name='splits') if l_0_splits is missing else l_0_splits):
            _loop_vars = {}
            pass
            yield '<tr><td>'
            yield escape(environment.finalize(environment.getattr(l_1_s, 'below')))
            yield '</td><td data-l="failing">'
            yield escape(environment.finalize(environment.getattr(l_1_s, 'failing_below')))
            yield '</td><td data-l="or">'
            yield escape(environment.finalize(environment.getattr(l_1_s, 'above')))
            yield '</td><td data-l="failing">'
            yield escape(environment.finalize(environment.getattr(l_1_s, 'failing_above')))
            yield '</td><td data-l="told apart">'
            yield escape(environment.finalize(('yes' if environment.getattr(l_1_s, 'told') else 'no')))
            yield '</td></tr>\n'
        l_1_s = missing
        yield '</tbody></table></div>\n</section>\n'

blocks = {'body': block_body}
debug_info = '1=12&2=17&3=48&8=52&9=56&13=100&19=103&20=107'
