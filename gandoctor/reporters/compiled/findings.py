# Made from templates/findings.html.j2 by `python -m gandoctor.reporters.compiled`: change that.
JINJA = '3.1'
MADE_FROM = 'f399e34aac824dd2fcefdb231d266b5d63d4c94d750352fea6017377b18dd9ab'
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'findings.html.j2'

def root(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    l_0_figures = l_0_finding = missing
    pass
    included_template = environment.get_template('pieces.html.j2', 'findings.html.j2')._get_default_module(context)
    l_0_figures = getattr(included_template, 'figures', missing)
    if l_0_figures is missing:
        l_0_figures = undefined(f"the template {included_template.__name__!r} (imported on line 1 in 'findings.html.j2') does not export the requested name 'figures'", name='figures')
    context.vars['figures'] = l_0_figures
    context.exported_vars.discard('figures')
    yield '\n'
    def macro(l_1_shown, l_1_level):
        t_1 = []
        l_1_f = missing
        if l_1_shown is missing:
            l_1_shown = undefined("parameter 'shown' was not provided", name='shown')
        if l_1_level is missing:
            l_1_level = undefined("parameter 'level' was not provided", name='level')
        pass
        l_1_f = environment.getattr(l_1_shown, 'it')
        t_1.extend((
            '<div class="finding">\n<h',
            escape(environment.finalize(l_1_level)),
            '>',
            escape(environment.finalize(environment.getattr((undefined(name='f') if l_1_f is missing else l_1_f), 'title'))),
        ))
        if environment.getattr((undefined(name='f') if l_1_f is missing else l_1_f), 'network'):
            pass
            t_1.extend((
                ' <span class="chip">network ',
                escape(environment.finalize(environment.getattr((undefined(name='f') if l_1_f is missing else l_1_f), 'network'))),
                '</span>',
            ))
        t_1.extend((
            '</h',
            escape(environment.finalize(l_1_level)),
            '>\n<p class="meta">',
            escape(environment.finalize(environment.getattr((undefined(name='f') if l_1_f is missing else l_1_f), 'symptom'))),
        ))
        if environment.getattr(l_1_shown, 'since'):
            pass
            t_1.extend((
                ' since ',
                escape(environment.finalize(environment.getattr(l_1_shown, 'since'))),
            ))
        t_1.extend((
            '; ',
            escape(environment.finalize(environment.getattr((undefined(name='f') if l_1_f is missing else l_1_f), 'severity'))),
            ' severity, ',
            escape(environment.finalize(environment.getattr((undefined(name='f') if l_1_f is missing else l_1_f), 'confidence'))),
            ' confidence; rule <code>',
            escape(environment.finalize(environment.getattr((undefined(name='f') if l_1_f is missing else l_1_f), 'rule'))),
            '</code></p>\n',
        ))
        if environment.getattr((undefined(name='f') if l_1_f is missing else l_1_f), 'why'):
            pass
            t_1.extend((
                '<p>',
                escape(environment.finalize(environment.getattr((undefined(name='f') if l_1_f is missing else l_1_f), 'why'))),
                '</p>\n',
            ))
        if environment.getattr(l_1_shown, 'pictures'):
            pass
            t_1.extend((
                escape(environment.finalize(context.call((undefined(name='figures') if l_0_figures is missing else l_0_figures), environment.getattr(l_1_shown, 'pictures')))),
                '\n',
            ))
        if environment.getattr(l_1_shown, 'said'):
            pass
            t_1.append(
                '<ul class="said">',
            )
            for (l_2_known, l_2_x) in environment.getattr(l_1_shown, 'said'):
                _loop_vars = {}
                pass
                t_1.append(
                    '<li',
                )
                if (not l_2_known):
                    pass
                    t_1.append(
                        ' class="muted"',
                    )
                t_1.extend((
                    '>',
                    escape(environment.finalize(l_2_x)),
                    '</li>',
                ))
            l_2_known = l_2_x = missing
            t_1.append(
                '</ul>\n',
            )
        t_1.append(
            '</div>\n',
        )
        return concat(t_1)
    context.exported_vars.add('finding')
    context.vars['finding'] = l_0_finding = Macro(environment, macro, 'finding', ('shown', 'level'), False, False, False, context.eval_ctx.autoescape)

blocks = {}
debug_info = '1=12&3=19&4=27&6=30&7=45&8=62&9=66&11=69&12=72&14=75&15=80'
