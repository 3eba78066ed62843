# Made from templates/compare.html.j2 by `python -m gandoctor.reporters.compiled`: change that.
JINJA = '3.1'
MADE_FROM = '303c5ca7a05eee26139651f954631b7e69151b035dc85460db51b12569598de2'
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'compare.html.j2'

def root(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    parent_template = None
    l_0_figure = l_0_figures = missing
    pass
    parent_template = environment.get_template('page.html.j2', 'compare.html.j2')
    for name, parent_block in parent_template.blocks.items():
        context.blocks.setdefault(name, []).append(parent_block)
    included_template = environment.get_template('pieces.html.j2', 'compare.html.j2')._get_default_module(context)
    l_0_figure = getattr(included_template, 'figure', missing)
    if l_0_figure is missing:
        l_0_figure = undefined(f"the template {included_template.__name__!r} (imported on line 2 in 'compare.html.j2') does not export the requested name 'figure'", name='figure')
    l_0_figures = getattr(included_template, 'figures', missing)
    if l_0_figures is missing:
        l_0_figures = undefined(f"the template {included_template.__name__!r} (imported on line 2 in 'compare.html.j2') does not export the requested name 'figures'", name='figures')
    context.vars.update({'figure': l_0_figure, 'figures': l_0_figures})
    context.exported_vars.difference_update(('figure', 'figures'))
    yield from parent_template.root_render_func(context)

def block_brand(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    _block_vars = {}
    pass
    yield 'comparison of two runs'

def block_body(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    _block_vars = {}
    l_0_tone = resolve('tone')
    l_0_head = resolve('head')
    l_0_c = resolve('c')
    l_0_headline = resolve('headline')
    l_0_changed = resolve('changed')
    l_0_best = resolve('best')
    l_0_figure = resolve('figure')
    l_0_shown = resolve('shown')
    l_0_rows = resolve('rows')
    l_0_notes = resolve('notes')
    l_0_curves = resolve('curves')
    l_0_figures = resolve('figures')
    l_0_sheet = missing
    try:
        t_1 = environment.filters['join']
    except KeyError:
        @internalcode
        def t_1(*unused):
            raise TemplateRuntimeError("No filter named 'join' found.")
    try:
        t_2 = environment.filters['length']
    except KeyError:
        @internalcode
        def t_2(*unused):
            raise TemplateRuntimeError("No filter named 'length' found.")
    try:
        t_3 = environment.filters['select']
    except KeyError:
        @internalcode
        def t_3(*unused):
            raise TemplateRuntimeError("No filter named 'select' found.")
    try:
        t_4 = environment.filters['thousands']
    except KeyError:
        @internalcode
        def t_4(*unused):
            raise TemplateRuntimeError("No filter named 'thousands' found.")
    pass
    yield '<article class="run '
    yield escape(environment.finalize((undefined(name='tone') if l_0_tone is missing else l_0_tone)))
    yield '">\n<header class="hero'
    if (not (undefined(name='head') if l_0_head is missing else l_0_head)):
        pass
        yield ' alone'
    yield '">\n<div class="verdict">\n<p class="name">'
    yield escape(environment.finalize(environment.getattr(environment.getattr((undefined(name='c') if l_0_c is missing else l_0_c), 'before'), 'name')))
    yield ' <span aria-hidden="true">&rarr;</span> '
    yield escape(environment.finalize(environment.getattr(environment.getattr((undefined(name='c') if l_0_c is missing else l_0_c), 'after'), 'name')))
    yield '</p>\n<h1><span class="word">'
    yield escape(environment.finalize((undefined(name='headline') if l_0_headline is missing else l_0_headline)))
    yield '</span></h1>\n<p class="lede">'
    yield escape(environment.finalize(environment.getitem(environment.getattr((undefined(name='c') if l_0_c is missing else l_0_c), 'why'), 0)))
    yield '</p>\n<dl>\n'
    l_1_loop = missing
    for (l_1_key, l_1_old, l_1_new), l_1_loop in LoopContext((undefined(name='changed') if l_0_changed is missing else l_0_changed)[:3], undefined):
        _loop_vars = {}
        pass
        yield '<div><dt>'
        yield escape(environment.finalize(('Changed' if environment.getattr(l_1_loop, 'first') else '')))
        yield '</dt><dd><code>'
        yield escape(environment.finalize(l_1_key))
        yield '</code> <del>'
        yield escape(environment.finalize(l_1_old))
        yield '</del> <span aria-hidden="true">&rarr;</span> <ins>'
        yield escape(environment.finalize(l_1_new))
        yield '</ins></dd></div>\n'
    l_1_loop = l_1_key = l_1_old = l_1_new = missing
    if (t_2((undefined(name='changed') if l_0_changed is missing else l_0_changed)) > 3):
        pass
        yield '<div><dt></dt><dd class="muted">and '
        yield escape(environment.finalize(t_4((t_2((undefined(name='changed') if l_0_changed is missing else l_0_changed)) - 3))))
        yield ' more, below</dd></div>\n'
    l_1_loop = missing
    for l_1_x, l_1_loop in LoopContext((undefined(name='best') if l_0_best is missing else l_0_best), undefined):
        _loop_vars = {}
        pass
        yield '<div><dt>'
        yield escape(environment.finalize(('Best point' if environment.getattr(l_1_loop, 'first') else '')))
        yield '</dt><dd>'
        yield escape(environment.finalize(l_1_x))
        yield '</dd></div>\n'
    l_1_loop = l_1_x = missing
    yield '</dl>\n</div>\n'
    if (undefined(name='head') if l_0_head is missing else l_0_head):
        pass
        yield escape(environment.finalize(context.call((undefined(name='figure') if l_0_figure is missing else l_0_figure), (undefined(name='head') if l_0_head is missing else l_0_head), _block_vars=_block_vars)))
        yield '\n'
    yield '</header>\n'
    if (undefined(name='shown') if l_0_shown is missing else l_0_shown):
        pass
        yield '<section class="card" id="shown">\n'
        for (l_1_title, l_1_svg) in (undefined(name='shown') if l_0_shown is missing else l_0_shown):
            _loop_vars = {}
            pass
            yield '<h2 class="title">'
            yield escape(environment.finalize(l_1_title))
            yield '</h2>\n<div class="wide" tabindex="0">'
            yield escape(environment.finalize(l_1_svg))
            yield '</div>\n'
        l_1_title = l_1_svg = missing
        yield '</section>\n'
    yield '<section class="card" id="table">\n<h2 class="title">Before and after</h2>\n<div class="wide" tabindex="0"><table class="stack">\n<thead><tr><th>What</th><th class="num">Before</th><th class="num">After</th><th>Change</th></tr></thead>\n<tbody>\n'
    for (l_1_name, l_1_old, l_1_new, l_1_said) in (undefined(name='rows') if l_0_rows is missing else l_0_rows):
        _loop_vars = {}
        pass
        yield '<tr><td>'
        yield escape(environment.finalize(l_1_name))
        yield '</td><td data-l="before" class="num">'
        yield escape(environment.finalize(l_1_old))
        yield '</td><td data-l="after" class="num">'
        yield escape(environment.finalize(l_1_new))
        yield '</td><td data-l="change">'
        yield escape(environment.finalize(l_1_said))
        yield '</td></tr>\n'
    l_1_name = l_1_old = l_1_new = l_1_said = missing
    yield '</tbody></table></div>\n'
    for l_1_note in (undefined(name='notes') if l_0_notes is missing else l_0_notes):
        _loop_vars = {}
        pass
        yield '<p class="meta">'
        yield escape(environment.finalize(l_1_note))
        yield '</p>\n'
    l_1_note = missing
    yield '</section>\n'
    def macro(l_1_to, l_1_title, l_1_caller):
        t_5 = []
        if l_1_to is missing:
            l_1_to = undefined("parameter 'to' was not provided", name='to')
        if l_1_title is missing:
            l_1_title = undefined("parameter 'title' was not provided", name='title')
        pass
        t_5.extend((
            '<section class="sheet" id="',
            escape(environment.finalize(l_1_to)),
            '">\n<h2>',
            escape(environment.finalize(l_1_title)),
            '</h2>\n<div>\n',
            escape(environment.finalize(context.call(l_1_caller))),
            '\n</div>\n</section>\n',
        ))
        return concat(t_5)
    l_0_sheet = Macro(environment, macro, 'sheet', ('to', 'title'), False, False, True, context.eval_ctx.autoescape)
    if (undefined(name='curves') if l_0_curves is missing else l_0_curves):
        pass
        yield '<section class="card" id="curves">\n<h2 class="title">Both runs in curves</h2>\n'
        yield escape(environment.finalize(context.call((undefined(name='figures') if l_0_figures is missing else l_0_figures), (undefined(name='curves') if l_0_curves is missing else l_0_curves), _block_vars=_block_vars)))
        yield '\n</section>\n'
    def macro():
        t_6 = []
        pass
        t_6.append(
            '<ul class="plain">\n',
        )
        for l_2_x in environment.getattr((undefined(name='c') if l_0_c is missing else l_0_c), 'why'):
            _loop_vars = {}
            pass
            t_6.extend((
                '<li>',
                escape(environment.finalize(l_2_x)),
                '</li>\n',
            ))
        l_2_x = missing
        t_6.append(
            '</ul>\n',
        )
        return concat(t_6)
    caller = Macro(environment, macro, None, (), False, False, False, context.eval_ctx.autoescape)
    yield context.call((undefined(name='sheet') if l_0_sheet is missing else l_0_sheet), 'why', 'Why', caller=caller, _block_vars=_block_vars)
    def macro():
        t_7 = []
        pass
        if environment.getattr((undefined(name='c') if l_0_c is missing else l_0_c), 'causes'):
            pass
            t_7.append(
                '<ul class="plain">\n',
            )
            for l_2_x in environment.getattr((undefined(name='c') if l_0_c is missing else l_0_c), 'causes'):
                _loop_vars = {}
                pass
                t_7.extend((
                    '<li><span class="chip">',
                    escape(environment.finalize(environment.getattr(l_2_x, 'fate'))),
                    '</span> <b>',
                    escape(environment.finalize(environment.getattr(l_2_x, 'title'))),
                    '</b> <span class="muted">',
                    escape(environment.finalize(t_1(context.eval_ctx, t_3(context, environment.getattr(l_2_x, 'confidence')), ', then '))),
                    ' confidence</span>',
                ))
                if environment.getattr(l_2_x, 'because'):
                    pass
                    t_7.extend((
                        '<br>',
                        escape(environment.finalize(environment.getattr(l_2_x, 'because'))),
                    ))
                t_7.append(
                    '</li>\n',
                )
            l_2_x = missing
            t_7.append(
                '</ul>\n',
            )
        else:
            pass
            t_7.append(
                '<p>None was named in either run.</p>\n',
            )
        return concat(t_7)
    caller = Macro(environment, macro, None, (), False, False, False, context.eval_ctx.autoescape)
    yield context.call((undefined(name='sheet') if l_0_sheet is missing else l_0_sheet), 'causes', 'Causes', caller=caller, _block_vars=_block_vars)
    def macro():
        t_8 = []
        pass
        if (undefined(name='changed') if l_0_changed is missing else l_0_changed):
            pass
            t_8.append(
                '<div class="wide" tabindex="0"><table class="stack">\n<thead><tr><th>Your key</th><th>Before</th><th>After</th></tr></thead>\n<tbody>\n',
            )
            for (l_2_key, l_2_old, l_2_new) in (undefined(name='changed') if l_0_changed is missing else l_0_changed):
                _loop_vars = {}
                pass
                t_8.extend((
                    '<tr><td><code>',
                    escape(environment.finalize(l_2_key)),
                    '</code></td><td data-l="before"><code>',
                    escape(environment.finalize(l_2_old)),
                    '</code></td><td data-l="after"><code>',
                    escape(environment.finalize(l_2_new)),
                    '</code></td></tr>\n',
                ))
            l_2_key = l_2_old = l_2_new = missing
            t_8.append(
                '</tbody></table></div>\n',
            )
        else:
            pass
            t_8.append(
                '<p>None that is known.</p>\n',
            )
        return concat(t_8)
    caller = Macro(environment, macro, None, (), False, False, False, context.eval_ctx.autoescape)
    yield context.call((undefined(name='sheet') if l_0_sheet is missing else l_0_sheet), 'settings', 'Settings that differ', caller=caller, _block_vars=_block_vars)
    def macro():
        t_9 = []
        pass
        t_9.append(
            '<ul class="plain">\n',
        )
        for l_2_x in environment.getattr((undefined(name='c') if l_0_c is missing else l_0_c), 'cautions'):
            _loop_vars = {}
            pass
            t_9.extend((
                '<li>',
                escape(environment.finalize(l_2_x)),
                '</li>\n',
            ))
        l_2_x = missing
        t_9.append(
            '</ul>\n',
        )
        return concat(t_9)
    caller = Macro(environment, macro, None, (), False, False, False, context.eval_ctx.autoescape)
    yield context.call((undefined(name='sheet') if l_0_sheet is missing else l_0_sheet), 'cautions', 'What to keep in mind', caller=caller, _block_vars=_block_vars)
    yield '</article>\n'

blocks = {'brand': block_brand, 'body': block_body}
debug_info = '1=13&2=16&3=27&4=37&5=83&6=85&8=89&9=93&10=95&12=98&13=102&15=111&16=114&18=117&19=121&23=127&24=129&27=132&29=135&30=139&31=141&40=146&41=150&44=160&45=164&48=168&49=177&50=179&52=181&56=186&59=189&62=191&64=197&65=202&62=211&69=212&70=215&72=220&73=225&69=252&80=253&81=256&85=261&86=266&80=284&93=285&95=291&96=296&93=305'
