# Made from templates/causes.html.j2 by `python -m gandoctor.reporters.compiled`: change that.
JINJA = '3.1'
MADE_FROM = '43409dc5a225d4f6ae1a040231c90dca419054d66b76ab569db7eca25b0e6f88'
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'causes.html.j2'

def root(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    l_0_finding = l_0_cause = l_0_about = l_0_explained = l_0_patch = l_0_change = l_0_code = l_0_copy = missing
    try:
        t_1 = environment.filters['exact']
    except KeyError:
        @internalcode
        def t_1(*unused):
            raise TemplateRuntimeError("No filter named 'exact' found.")
    try:
        t_2 = environment.filters['join']
    except KeyError:
        @internalcode
        def t_2(*unused):
            raise TemplateRuntimeError("No filter named 'join' found.")
    try:
        t_3 = environment.filters['whole']
    except KeyError:
        @internalcode
        def t_3(*unused):
            raise TemplateRuntimeError("No filter named 'whole' found.")
    pass
    included_template = environment.get_template('findings.html.j2', 'causes.html.j2')._get_default_module(context)
    l_0_finding = getattr(included_template, 'finding', missing)
    if l_0_finding is missing:
        l_0_finding = undefined(f"the template {included_template.__name__!r} (imported on line 1 in 'causes.html.j2') does not export the requested name 'finding'", name='finding')
    context.vars['finding'] = l_0_finding
    context.exported_vars.discard('finding')
    yield '\n'
    def macro(l_1_shown, l_1_id, l_1_level):
        t_4 = []
        if l_1_shown is missing:
            l_1_shown = undefined("parameter 'shown' was not provided", name='shown')
        if l_1_id is missing:
            l_1_id = undefined("parameter 'id' was not provided", name='id')
        if l_1_level is missing:
            l_1_level = undefined("parameter 'level' was not provided", name='level')
        pass
        if environment.getattr(l_1_shown, 'folded'):
            pass
            t_4.extend((
                '<details class="card ',
                escape(environment.finalize(environment.getattr(environment.getattr(l_1_shown, 'it'), 'severity'))),
                '">\n<summary><span class="kicker">',
                escape(environment.finalize(environment.getattr(l_1_shown, 'kicker'))),
                '</span><h',
                escape(environment.finalize(l_1_level)),
                ' class="title">',
                escape(environment.finalize(environment.getattr(environment.getattr(l_1_shown, 'it'), 'title'))),
                '</h',
                escape(environment.finalize(l_1_level)),
                '>',
            ))
            if environment.getattr(l_1_shown, 'evidence'):
                pass
                t_4.extend((
                    '<span class="meta evidence">',
                    escape(environment.finalize(environment.getattr(l_1_shown, 'evidence'))),
                    '</span>',
                ))
            t_4.extend((
                '</summary>\n<div class="keep">\n',
                escape(environment.finalize(context.call((undefined(name='about') if l_0_about is missing else l_0_about), l_1_shown, environment.getattr(l_1_shown, 'it')))),
                '\n</div>\n',
                escape(environment.finalize(context.call((undefined(name='explained') if l_0_explained is missing else l_0_explained), l_1_shown, l_1_id, (l_1_level + 1)))),
                '\n</details>\n',
            ))
        else:
            pass
            t_4.extend((
                '<section class="card ',
                escape(environment.finalize(environment.getattr(environment.getattr(l_1_shown, 'it'), 'severity'))),
                '">\n<div class="keep">\n<p class="kicker">',
                escape(environment.finalize(environment.getattr(l_1_shown, 'kicker'))),
                '</p>\n<h',
                escape(environment.finalize(l_1_level)),
                ' class="title">',
                escape(environment.finalize(environment.getattr(environment.getattr(l_1_shown, 'it'), 'title'))),
                '</h',
                escape(environment.finalize(l_1_level)),
                '>\n',
                escape(environment.finalize(context.call((undefined(name='about') if l_0_about is missing else l_0_about), l_1_shown, environment.getattr(l_1_shown, 'it')))),
                '\n</div>\n',
                escape(environment.finalize(context.call((undefined(name='explained') if l_0_explained is missing else l_0_explained), l_1_shown, l_1_id, (l_1_level + 1)))),
                '\n</section>\n',
            ))
        return concat(t_4)
    context.exported_vars.add('cause')
    context.vars['cause'] = l_0_cause = Macro(environment, macro, 'cause', ('shown', 'id', 'level'), False, False, False, context.eval_ctx.autoescape)
    yield '\n'
    def macro(l_1_shown, l_1_d):
        t_5 = []
        if l_1_shown is missing:
            l_1_shown = undefined("parameter 'shown' was not provided", name='shown')
        if l_1_d is missing:
            l_1_d = undefined("parameter 'd' was not provided", name='d')
        pass
        t_5.extend((
            '<p class="chips"><span class="chip sev">',
            escape(environment.finalize(environment.getattr(l_1_d, 'severity'))),
            ' severity</span>\n<span class="chip">',
            escape(environment.finalize(environment.getattr(l_1_d, 'confidence'))),
            ' confidence</span>\n',
        ))
        if environment.getattr(l_1_shown, 'since'):
            pass
            t_5.extend((
                '<span class="chip">since ',
                escape(environment.finalize(environment.getattr(l_1_shown, 'since'))),
                '</span>\n',
            ))
        for l_2_x in environment.getattr(l_1_d, 'symptoms'):
            _loop_vars = {}
            pass
            t_5.extend((
                '<span class="chip">',
                escape(environment.finalize(l_2_x)),
                '</span>\n',
            ))
        l_2_x = missing
        for l_2_x in environment.getattr(l_1_d, 'settings'):
            _loop_vars = {}
            pass
            t_5.extend((
                '<span class="chip"><code>',
                escape(environment.finalize(l_2_x)),
                '</code></span>\n',
            ))
        l_2_x = missing
        t_5.extend((
            '</p>\n<p class="story">',
            escape(environment.finalize(environment.getattr(l_1_d, 'story'))),
            '</p>\n',
        ))
        return concat(t_5)
    context.exported_vars.add('about')
    context.vars['about'] = l_0_about = Macro(environment, macro, 'about', ('shown', 'd'), False, False, False, context.eval_ctx.autoescape)
    yield '\n'
    def macro(l_1_shown, l_1_id, l_1_level):
        t_6 = []
        if l_1_shown is missing:
            l_1_shown = undefined("parameter 'shown' was not provided", name='shown')
        if l_1_id is missing:
            l_1_id = undefined("parameter 'id' was not provided", name='id')
        if l_1_level is missing:
            l_1_level = undefined("parameter 'level' was not provided", name='level')
        pass
        for l_2_f in environment.getattr(l_1_shown, 'leading'):
            _loop_vars = {}
            pass
            t_6.append(
                escape(environment.finalize(context.call((undefined(name='finding') if l_0_finding is missing else l_0_finding), l_2_f, l_1_level, _loop_vars=_loop_vars))),
            )
        l_2_f = missing
        if environment.getattr(l_1_shown, 'again'):
            pass
            t_6.extend((
                '<p class="meta">It would explain what is shown above, too: ',
                escape(environment.finalize(t_2(context.eval_ctx, environment.getattr(l_1_shown, 'again'), '; '))),
                '.</p>\n',
            ))
        if environment.getattr(l_1_shown, 'reasons'):
            pass
            t_6.extend((
                '<h',
                escape(environment.finalize(l_1_level)),
                '>What speaks for it, and against</h',
                escape(environment.finalize(l_1_level)),
                '>\n<table class="reasons">\n',
            ))
            for (l_2_kind, l_2_x, l_2_width, l_2_weight, l_2_said) in environment.getattr(l_1_shown, 'reasons'):
                _loop_vars = {}
                pass
                t_6.extend((
                    '<tr class="',
                    escape(environment.finalize(l_2_kind)),
                    '"><td class="draw"><svg class="bar" viewBox="0 0 72 12" aria-hidden="true"><path class="zero" d="M36 0V12"/><rect class="',
                    escape(environment.finalize(l_2_kind)),
                    '" x="',
                    escape(environment.finalize(l_2_x)),
                    '" y="2" width="',
                    escape(environment.finalize(l_2_width)),
                    '" height="8" rx="1.5"/></svg></td><td class="num">',
                    escape(environment.finalize(l_2_weight)),
                    '</td><td>',
                    escape(environment.finalize(l_2_said)),
                    '</td></tr>\n',
                ))
            l_2_kind = l_2_x = l_2_width = l_2_weight = l_2_said = missing
            t_6.append(
                '</table>\n<p class="meta">Weights are log-odds, in nats.</p>\n',
            )
        for l_2_p in environment.getattr(l_1_shown, 'patches'):
            _loop_vars = {}
            pass
            t_6.append(
                escape(environment.finalize(context.call((undefined(name='patch') if l_0_patch is missing else l_0_patch), l_2_p, l_1_id, l_1_level, _loop_vars=_loop_vars))),
            )
        l_2_p = missing
        if environment.getattr(l_1_shown, 'consequences'):
            pass
            t_6.extend((
                '<details><summary>',
                escape(environment.finalize(environment.getattr(l_1_shown, 'explains'))),
                '</summary>\n',
            ))
            for l_2_f in environment.getattr(l_1_shown, 'consequences'):
                _loop_vars = {}
                pass
                t_6.append(
                    escape(environment.finalize(context.call((undefined(name='finding') if l_0_finding is missing else l_0_finding), l_2_f, l_1_level, _loop_vars=_loop_vars))),
                )
            l_2_f = missing
            t_6.append(
                '</details>\n',
            )
        return concat(t_6)
    context.exported_vars.add('explained')
    context.vars['explained'] = l_0_explained = Macro(environment, macro, 'explained', ('shown', 'id', 'level'), False, False, False, context.eval_ctx.autoescape)
    yield '\n'
    def macro(l_1_shown, l_1_id, l_1_level):
        t_7 = []
        if l_1_shown is missing:
            l_1_shown = undefined("parameter 'shown' was not provided", name='shown')
        if l_1_id is missing:
            l_1_id = undefined("parameter 'id' was not provided", name='id')
        if l_1_level is missing:
            l_1_level = undefined("parameter 'level' was not provided", name='level')
        pass
        if environment.getattr(l_1_shown, 'lead'):
            pass
            t_7.extend((
                '<div class="patch" id="',
                escape(environment.finalize(l_1_id)),
                'patch',
                escape(environment.finalize(environment.getattr(l_1_shown, 'number'))),
                '">\n<h',
                escape(environment.finalize(l_1_level)),
                '>What to change: ',
                escape(environment.finalize(environment.getattr(environment.getattr(l_1_shown, 'it'), 'title'))),
                ' <span class="chip">',
                escape(environment.finalize(environment.getattr(l_1_shown, 'chip'))),
                '</span></h',
                escape(environment.finalize(l_1_level)),
                '>\n',
                escape(environment.finalize(context.call((undefined(name='change') if l_0_change is missing else l_0_change), l_1_shown, environment.getattr(l_1_shown, 'it')))),
                '\n</div>\n',
            ))
        else:
            pass
            t_7.extend((
                '<details class="patch" id="',
                escape(environment.finalize(l_1_id)),
                'patch',
                escape(environment.finalize(environment.getattr(l_1_shown, 'number'))),
                '"><summary>Or: ',
                escape(environment.finalize(environment.getattr(environment.getattr(l_1_shown, 'it'), 'title'))),
                ' <span class="chip">',
                escape(environment.finalize(environment.getattr(l_1_shown, 'chip'))),
                '</span></summary>\n',
                escape(environment.finalize(context.call((undefined(name='change') if l_0_change is missing else l_0_change), l_1_shown, environment.getattr(l_1_shown, 'it')))),
                '\n</details>\n',
            ))
        return concat(t_7)
    context.exported_vars.add('patch')
    context.vars['patch'] = l_0_patch = Macro(environment, macro, 'patch', ('shown', 'id', 'level'), False, False, False, context.eval_ctx.autoescape)
    yield '\n'
    def macro(l_1_shown, l_1_p):
        t_8 = []
        if l_1_shown is missing:
            l_1_shown = undefined("parameter 'shown' was not provided", name='shown')
        if l_1_p is missing:
            l_1_p = undefined("parameter 'p' was not provided", name='p')
        pass
        if environment.getattr(l_1_p, 'blocked_by'):
            pass
            t_8.extend((
                '<p class="blocked"><b>Blocked:</b> ',
                escape(environment.finalize(environment.getattr(l_1_p, 'blocked_by'))),
                '</p>\n',
            ))
        if environment.getattr(l_1_p, 'why'):
            pass
            t_8.extend((
                '<p>',
                escape(environment.finalize(environment.getattr(l_1_p, 'why'))),
                '</p>\n',
            ))
        if environment.getattr(l_1_p, 'diff'):
            pass
            t_8.extend((
                '<div class="code">',
                escape(environment.finalize(context.call((undefined(name='copy') if l_0_copy is missing else l_0_copy), environment.getattr(l_1_p, 'diff'), environment.getattr(l_1_shown, 'copies')))),
                '<pre class="diff" tabindex="0"><code>',
            ))
            for (l_2_kind, l_2_line) in environment.getattr(l_1_shown, 'diff'):
                _loop_vars = {}
                pass
                t_8.extend((
                    '<span class="',
                    escape(environment.finalize(l_2_kind)),
                    '">',
                    escape(environment.finalize(t_3(l_2_line))),
                    '\n</span>',
                ))
            l_2_kind = l_2_line = missing
            t_8.append(
                '</code></pre></div>\n',
            )
            if environment.getattr(l_1_shown, 'crlf'):
                pass
                t_8.append(
                    '<p class="meta">The file has CRLF line ends; a patch selected by hand loses them, the copy button and <code>gandoctor patch</code> keep them.</p>\n',
                )
        if environment.getattr(l_1_shown, 'flags'):
            pass
            t_8.extend((
                '<p class="label">',
                escape(environment.finalize(('Or on' if environment.getattr(l_1_p, 'diff') else 'On'))),
                ' the command line</p>\n',
                escape(environment.finalize(context.call((undefined(name='code') if l_0_code is missing else l_0_code), environment.getattr(l_1_shown, 'flags'), environment.getattr(l_1_shown, 'copies')))),
                '\n',
            ))
        if environment.getattr(l_1_p, 'snippet'):
            pass
            t_8.extend((
                '<p class="label">In the training loop</p>\n',
                escape(environment.finalize(context.call((undefined(name='code') if l_0_code is missing else l_0_code), environment.getattr(l_1_p, 'snippet'), environment.getattr(l_1_shown, 'copies')))),
                '\n',
            ))
        if (not environment.getattr(l_1_shown, 'copies')):
            pass
            t_8.append(
                '<p class="meta">It holds characters that cannot be seen, so it is not offered for copying; use <code>gandoctor patch</code>.</p>\n',
            )
        if environment.getattr(l_1_p, 'expect'):
            pass
            t_8.extend((
                '<p><b>How to tell that it helped:</b> ',
                escape(environment.finalize(environment.getattr(l_1_p, 'expect'))),
                '</p>\n',
            ))
        if environment.getattr(l_1_p, 'trial'):
            pass
            t_8.extend((
                '<p><b>Tried:</b> ',
                escape(environment.finalize(environment.getattr(l_1_p, 'trial'))),
                '</p>\n',
            ))
        if (environment.getattr(l_1_p, 'diff') and (not environment.getattr(l_1_p, 'blocked_by'))):
            pass
            t_8.extend((
                '<p class="meta">Save it in ',
                escape(environment.finalize(('the source tree' if (environment.getattr(l_1_p, 'base') == 'repo') else "the run's folder"))),
                ' and <code>git apply</code> it there, or let <code>gandoctor patch RUN --number ',
                escape(environment.finalize(environment.getattr(l_1_shown, 'number'))),
                escape(environment.finalize((' --repo DIR' if (environment.getattr(l_1_p, 'base') == 'repo') else cond_expr_undefined("the inline if-expression on line 107 in 'causes.html.j2' evaluated to false and no else section was defined.")))),
                ' --apply</code> do it.</p>\n',
            ))
        return concat(t_8)
    context.exported_vars.add('change')
    context.vars['change'] = l_0_change = Macro(environment, macro, 'change', ('shown', 'p'), False, False, False, context.eval_ctx.autoescape)
    yield '\n'
    def macro(l_1_raw, l_1_copies):
        t_9 = []
        if l_1_raw is missing:
            l_1_raw = undefined("parameter 'raw' was not provided", name='raw')
        if l_1_copies is missing:
            l_1_copies = undefined("parameter 'copies' was not provided", name='copies')
        pass
        t_9.extend((
            '<div class="code">',
            escape(environment.finalize(context.call((undefined(name='copy') if l_0_copy is missing else l_0_copy), l_1_raw, l_1_copies))),
            '<pre class="text" tabindex="0"><code>',
            escape(environment.finalize(t_3(l_1_raw))),
            '</code></pre></div>\n',
        ))
        return concat(t_9)
    context.exported_vars.add('code')
    context.vars['code'] = l_0_code = Macro(environment, macro, 'code', ('raw', 'copies'), False, False, False, context.eval_ctx.autoescape)
    yield '\n'
    def macro(l_1_raw, l_1_offered):
        t_10 = []
        if l_1_raw is missing:
            l_1_raw = undefined("parameter 'raw' was not provided", name='raw')
        if l_1_offered is missing:
            l_1_offered = undefined("parameter 'offered' was not provided", name='offered')
        pass
        if l_1_offered:
            pass
            t_10.extend((
                '<button type="button" hidden data-copy="',
                escape(environment.finalize(t_1(l_1_raw))),
                '">Copy</button>',
            ))
        return concat(t_10)
    context.exported_vars.add('copy')
    context.vars['copy'] = l_0_copy = Macro(environment, macro, 'copy', ('raw', 'offered'), False, False, False, context.eval_ctx.autoescape)

blocks = {}
debug_info = '1=30&3=37&4=46&5=50&6=52&8=70&10=72&13=79&15=81&16=83&17=89&19=91&24=98&25=107&26=109&27=112&28=116&30=119&31=124&33=128&34=133&37=139&40=146&41=155&42=162&43=166&45=169&46=173&48=178&49=183&54=200&55=207&56=211&57=214&62=228&63=237&64=241&65=245&66=253&69=260&70=268&75=275&76=282&77=286&79=289&80=293&82=296&83=300&85=317&89=322&90=326&91=328&93=331&95=335&97=338&100=343&101=347&103=350&104=354&106=357&107=361&111=371&112=380&116=389&117=396'
