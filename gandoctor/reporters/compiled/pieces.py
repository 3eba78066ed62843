# Made from templates/pieces.html.j2 by `python -m gandoctor.reporters.compiled`: change that.
JINJA = '3.1'
MADE_FROM = '05f09af5166b508c96be24b4b921d77380438a630c44d878c9ebeb4f640a6ae4'
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'pieces.html.j2'

def root(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    l_0_figure = l_0_figures = l_0_tally = l_0_more = missing
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
        t_3 = environment.filters['thousands']
    except KeyError:
        @internalcode
        def t_3(*unused):
            raise TemplateRuntimeError("No filter named 'thousands' found.")
    try:
        t_4 = environment.tests['none']
    except KeyError:
        @internalcode
        def t_4(*unused):
            raise TemplateRuntimeError("No test named 'none' found.")
    pass
    def macro(l_1_picture):
        t_5 = []
        if l_1_picture is missing:
            l_1_picture = undefined("parameter 'picture' was not provided", name='picture')
        pass
        t_5.extend((
            '<figure>\n',
            escape(environment.finalize(environment.getattr(environment.getattr(l_1_picture, 'drawing'), 'svg'))),
            '\n<ul class="legend" aria-hidden="true">',
        ))
        for (l_2_kind, l_2_name) in environment.getattr(environment.getattr(l_1_picture, 'drawing'), 'legend'):
            _loop_vars = {}
            pass
            t_5.extend((
                '<li><i class="',
                escape(environment.finalize(l_2_kind)),
                '"></i>',
                escape(environment.finalize(l_2_name)),
                '</li>',
            ))
        l_2_kind = l_2_name = missing
        t_5.extend((
            '</ul>\n<figcaption>',
            escape(environment.finalize(environment.getattr(l_1_picture, 'caption'))),
        ))
        if (environment.getattr(l_1_picture, 'test') or environment.getattr(l_1_picture, 'said')):
            pass
            t_5.append(
                ' <small>',
            )
            if environment.getattr(l_1_picture, 'test'):
                pass
                t_5.extend((
                    '<code>',
                    escape(environment.finalize(environment.getattr(l_1_picture, 'test'))),
                    '</code>',
                    escape(environment.finalize(('; ' if environment.getattr(l_1_picture, 'said') else ''))),
                ))
            t_5.extend((
                escape(environment.finalize(t_1(context.eval_ctx, environment.getattr(l_1_picture, 'said'), '; '))),
                '</small>',
            ))
        t_5.append(
            '</figcaption>\n</figure>\n',
        )
        return concat(t_5)
    context.exported_vars.add('figure')
    context.vars['figure'] = l_0_figure = Macro(environment, macro, 'figure', ('picture',), False, False, False, context.eval_ctx.autoescape)
    yield '\n'
    def macro(l_1_pictures):
        t_6 = []
        if l_1_pictures is missing:
            l_1_pictures = undefined("parameter 'pictures' was not provided", name='pictures')
        pass
        t_6.extend((
            '<div class="figures n',
            escape(environment.finalize(t_2(l_1_pictures))),
            '">\n',
        ))
        for l_2_picture in l_1_pictures:
            _loop_vars = {}
            pass
            t_6.append(
                escape(environment.finalize(context.call((undefined(name='figure') if l_0_figure is missing else l_0_figure), l_2_picture, _loop_vars=_loop_vars))),
            )
        l_2_picture = missing
        t_6.append(
            '</div>\n',
        )
        return concat(t_6)
    context.exported_vars.add('figures')
    context.vars['figures'] = l_0_figures = Macro(environment, macro, 'figures', ('pictures',), False, False, False, context.eval_ctx.autoescape)
    yield '\n'
    def macro(l_1_n):
        t_7 = []
        if l_1_n is missing:
            l_1_n = undefined("parameter 'n' was not provided", name='n')
        pass
        if (not t_4(l_1_n)):
            pass
            t_7.extend((
                ' <span class="n">',
                escape(environment.finalize(t_3(l_1_n))),
                '</span>',
            ))
        return concat(t_7)
    context.exported_vars.add('tally')
    context.vars['tally'] = l_0_tally = Macro(environment, macro, 'tally', ('n',), False, False, False, context.eval_ctx.autoescape)
    yield '\n'
    def macro(l_1_rows, l_1_most):
        t_8 = []
        if l_1_rows is missing:
            l_1_rows = undefined("parameter 'rows' was not provided", name='rows')
        if l_1_most is missing:
            l_1_most = undefined("parameter 'most' was not provided", name='most')
        pass
        if (t_2(l_1_rows) > l_1_most):
            pass
            t_8.extend((
                '<p class="meta">and ',
                escape(environment.finalize(t_3((t_2(l_1_rows) - l_1_most)))),
                ' more, all in the JSON report</p>\n',
            ))
        return concat(t_8)
    context.exported_vars.add('more')
    context.vars['more'] = l_0_more = Macro(environment, macro, 'more', ('rows', 'most'), False, False, False, context.eval_ctx.autoescape)

blocks = {}
debug_info = '1=36&3=43&4=46&5=59&6=61&7=66&8=75&13=85&14=92&15=95&19=109&21=125&22=132&23=136'
