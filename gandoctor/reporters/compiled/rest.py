# Made from templates/rest.html.j2 by `python -m gandoctor.reporters.compiled`: change that.
JINJA = '3.1'
MADE_FROM = 'cb63f8323663d950e48709583ce43a21cb158f23674bbdd2429ac5afabfcd472'
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'rest.html.j2'

def root(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    l_0_r = resolve('r')
    l_0_run = resolve('run')
    l_0_figures = resolve('figures')
    l_0_sheet = missing
    try:
        t_1 = environment.filters['length']
    except KeyError:
        @internalcode
        def t_1(*unused):
            raise TemplateRuntimeError("No filter named 'length' found.")
    try:
        t_2 = environment.filters['number']
    except KeyError:
        @internalcode
        def t_2(*unused):
            raise TemplateRuntimeError("No filter named 'number' found.")
    try:
        t_3 = environment.filters['picture']
    except KeyError:
        @internalcode
        def t_3(*unused):
            raise TemplateRuntimeError("No filter named 'picture' found.")
    try:
        t_4 = environment.filters['thousands']
    except KeyError:
        @internalcode
        def t_4(*unused):
            raise TemplateRuntimeError("No filter named 'thousands' found.")
    try:
        t_5 = environment.filters['upper']
    except KeyError:
        @internalcode
        def t_5(*unused):
            raise TemplateRuntimeError("No filter named 'upper' found.")
    try:
        t_6 = environment.tests['none']
    except KeyError:
        @internalcode
        def t_6(*unused):
            raise TemplateRuntimeError("No test named 'none' found.")
    pass
    def macro(l_1_to, l_1_title, l_1_n, l_1_caller):
        t_7 = []
        l_1_tally = resolve('tally')
        if l_1_to is missing:
            l_1_to = undefined("parameter 'to' was not provided", name='to')
        if l_1_title is missing:
            l_1_title = undefined("parameter 'title' was not provided", name='title')
        if l_1_n is missing:
            l_1_n = undefined("parameter 'n' was not provided", name='n')
        pass
        t_7.extend((
            '<section class="sheet" id="',
            escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'id'))),
            escape(environment.finalize(l_1_to)),
            '">\n<h',
            escape(environment.finalize((environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'level') + 1))),
            '>',
            escape(environment.finalize(l_1_title)),
            escape(environment.finalize(context.call((undefined(name='tally') if l_1_tally is missing else l_1_tally), l_1_n))),
            '</h',
            escape(environment.finalize((environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'level') + 1))),
            '>\n<div>\n',
            escape(environment.finalize(context.call(l_1_caller))),
            '\n</div>\n</section>\n',
        ))
        return concat(t_7)
    context.exported_vars.add('sheet')
    context.vars['sheet'] = l_0_sheet = Macro(environment, macro, 'sheet', ('to', 'title', 'n'), False, False, True, context.eval_ctx.autoescape)
    if environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'log_next'):
        pass
        yield '<section class="card" id="'
        yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'id')))
        yield 'next">\n<h'
        yield escape(environment.finalize((environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'level') + 1)))
        yield ' class="title">What to log next</h'
        yield escape(environment.finalize((environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'level') + 1)))
        yield '>\n<p class="meta">Of all that was not logged, this would move the belief most.</p>\n<ul class="plain">\n'
        for l_1_x in environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'log_next'):
            _loop_vars = {}
            pass
            yield '<li><b>'
            yield escape(environment.finalize(environment.getattr(l_1_x, 'title')))
            yield '</b><br>'
            yield escape(environment.finalize(environment.getattr(l_1_x, 'reason')))
            if environment.getattr(l_1_x, 'log_it'):
                pass
                yield '<pre class="log" tabindex="0"><code>'
                yield escape(environment.finalize(environment.getattr(l_1_x, 'log_it')))
                yield '</code></pre>'
            yield '</li>\n'
        l_1_x = missing
        yield '</ul>\n</section>\n'
    if environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'belief'):
        pass
        yield '<section class="card keep" id="'
        yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'id')))
        yield 'belief">\n<h'
        yield escape(environment.finalize((environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'level') + 1)))
        yield ' class="title">How the verdict came about</h'
        yield escape(environment.finalize((environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'level') + 1)))
        yield '>\n<p class="meta">Each piece of evidence moves the odds that the run has failed; in nats, above zero for a failure. Evidence that says one thing in several ways is discounted.</p>\n<div class="wide" tabindex="0"><table class="reasons waterfall">\n<thead><tr><th scope="col" class="draw">So far</th><th scope="col" class="num">Nats</th><th scope="col">Evidence</th></tr></thead>\n<tbody>\n'
        for l_1_b in environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'belief'):
            _loop_vars = {}
            pass
            yield '<tr class="'
            yield escape(environment.finalize(environment.getattr(l_1_b, 'kind')))
            yield '"><td class="draw"><svg class="bar fall" viewBox="0 0 160 12" aria-hidden="true"><path class="zero" d="M'
            yield escape(environment.finalize(environment.getattr(l_1_b, 'zero')))
            yield ' 0V12"/><rect class="'
            yield escape(environment.finalize(environment.getattr(l_1_b, 'kind')))
            yield '" x="'
            yield escape(environment.finalize(environment.getattr(l_1_b, 'x')))
            yield '" y="2" width="'
            yield escape(environment.finalize(environment.getattr(l_1_b, 'width')))
            yield '" height="8" rx="1.5"/></svg></td><td class="num">'
            yield escape(environment.finalize(environment.getattr(l_1_b, 'nats')))
            yield '</td><td>'
            yield escape(environment.finalize(environment.getattr(l_1_b, 'text')))
            yield '</td></tr>\n'
        l_1_b = missing
        yield '</tbody></table></div>\n</section>\n'
    if environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'curves'):
        pass
        yield '<section class="card" id="'
        yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'id')))
        yield 'curves">\n<h'
        yield escape(environment.finalize((environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'level') + 1)))
        yield ' class="title">The run in curves</h'
        yield escape(environment.finalize((environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'level') + 1)))
        yield '>\n'
        yield escape(environment.finalize(context.call((undefined(name='figures') if l_0_figures is missing else l_0_figures), environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'curves'))))
        yield '\n</section>\n'
    if environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'risks'):
        pass
        def macro():
            t_8 = []
            pass
            t_8.append(
                '<p class="meta">Doubtful settings and blind spots. They never decide the verdict.</p>\n<ul class="plain">\n',
            )
            for l_2_x in environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'risks'):
                _loop_vars = {}
                pass
                t_8.extend((
                    '<li><b>',
                    escape(environment.finalize(environment.getattr(l_2_x, 'title'))),
                    '</b>',
                ))
                for l_3_key in environment.getattr(l_2_x, 'settings'):
                    _loop_vars = {}
                    pass
                    t_8.extend((
                        ' <code>',
                        escape(environment.finalize(l_3_key)),
                        '</code>',
                    ))
                l_3_key = missing
                t_8.extend((
                    '<br>',
                    escape(environment.finalize(environment.getattr(l_2_x, 'text'))),
                    '</li>\n',
                ))
            l_2_x = missing
            t_8.append(
                '</ul>\n',
            )
            return concat(t_8)
        caller = Macro(environment, macro, None, (), False, False, False, context.eval_ctx.autoescape)
        yield context.call((undefined(name='sheet') if l_0_sheet is missing else l_0_sheet), 'risks', 'Risks', t_1(environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'risks')), caller=caller)
    if environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'not_checked'):
        pass
        def macro():
            t_9 = []
            pass
            t_9.append(
                '<p class="meta">What could not be decided is no pass. Grouped by what was missing, what answers most first.</p>\n<ul class="plain">\n',
            )
            for l_2_g in environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'unchecked'):
                _loop_vars = {}
                pass
                t_9.append(
                    '<li>',
                )
                if environment.getattr(l_2_g, 'log_it'):
                    pass
                    t_9.extend((
                        '<div class="keep"><b>',
                        escape(environment.finalize(environment.getattr(l_2_g, 'names'))),
                        '</b> <span class="muted">answers ',
                        escape(environment.finalize(t_1(environment.getattr(l_2_g, 'rules')))),
                        '</span><pre class="log" tabindex="0"><code>',
                        escape(environment.finalize(environment.getattr(l_2_g, 'log_it'))),
                        '</code></pre></div>',
                    ))
                else:
                    pass
                    t_9.append(
                        '<b>For other reasons</b>',
                    )
                t_9.append(
                    '<ul class="waits">',
                )
                for (l_3_rule, l_3_title, l_3_reason) in environment.getattr(l_2_g, 'rules'):
                    _loop_vars = {}
                    pass
                    t_9.extend((
                        '<li>',
                        escape(environment.finalize(l_3_title)),
                        ' <code>',
                        escape(environment.finalize(l_3_rule)),
                        '</code>',
                    ))
                    if l_3_reason:
                        pass
                        t_9.extend((
                            '<br><span class="muted">',
                            escape(environment.finalize(l_3_reason)),
                            '</span>',
                        ))
                    t_9.append(
                        '</li>',
                    )
                l_3_rule = l_3_title = l_3_reason = missing
                t_9.append(
                    '</ul></li>\n',
                )
            l_2_g = missing
            t_9.append(
                '</ul>\n',
            )
            return concat(t_9)
        caller = Macro(environment, macro, None, (), False, False, False, context.eval_ctx.autoescape)
        yield context.call((undefined(name='sheet') if l_0_sheet is missing else l_0_sheet), 'open', 'Not checked', t_1(environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'not_checked')), caller=caller)
    def macro():
        t_10 = []
        pass
        if environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'clear'):
            pass
            t_10.append(
                '<p class="meta">Looked for, and not found:</p>\n<ul class="waits columns">',
            )
            for l_2_x in environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'clear'):
                _loop_vars = {}
                pass
                t_10.extend((
                    '<li>',
                    escape(environment.finalize(l_2_x)),
                    '</li>',
                ))
            l_2_x = missing
            t_10.append(
                '</ul>\n',
            )
        else:
            pass
            t_10.append(
                '<p>No rule could be called clear.</p>\n',
            )
        if environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'ignored'):
            pass
            t_10.append(
                '<p class="label">Not asked, because you said so</p>\n<ul>',
            )
            for l_2_x in environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'ignored'):
                _loop_vars = {}
                pass
                t_10.extend((
                    '<li><code>',
                    escape(environment.finalize(environment.getattr(l_2_x, 'rule'))),
                    '</code>: ',
                    escape(environment.finalize(environment.getattr(l_2_x, 'reason'))),
                    '</li>',
                ))
            l_2_x = missing
            t_10.append(
                '</ul>\n',
            )
        return concat(t_10)
    caller = Macro(environment, macro, None, (), False, False, False, context.eval_ctx.autoescape)
    yield context.call((undefined(name='sheet') if l_0_sheet is missing else l_0_sheet), 'clear', 'Clear', t_1(environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'clear')), caller=caller)
    def macro():
        t_11 = []
        l_1_more = resolve('more')
        pass
        if environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'signals'):
            pass
            t_11.append(
                '<div class="wide" tabindex="0"><table class="stack">\n<thead><tr><th>Tag</th><th>Role</th><th class="num">Points</th><th class="num">Last</th><th>Because</th></tr></thead>\n<tbody>\n',
            )
            for l_2_s in environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'signals')[:environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'rows')]:
                _loop_vars = {}
                pass
                t_11.extend((
                    '<tr><td><code>',
                    escape(environment.finalize(environment.getattr(l_2_s, 'tag'))),
                    '</code></td><td data-l="role" class="role"><code>',
                    escape(environment.finalize(environment.getattr(l_2_s, 'role'))),
                    '</code>',
                ))
                if environment.getattr(l_2_s, 'network'):
                    pass
                    t_11.extend((
                        ' ',
                        escape(environment.finalize(environment.getattr(l_2_s, 'network'))),
                    ))
                if (environment.getattr(l_2_s, 'split') == 'val'):
                    pass
                    t_11.append(
                        ' (validation)',
                    )
                t_11.extend((
                    '</td><td data-l="points" class="num">',
                    escape(environment.finalize(t_4(environment.getattr(l_2_s, 'points')))),
                    '</td><td data-l="last" class="num">',
                    escape(environment.finalize(t_2(environment.getattr(l_2_s, 'last')))),
                    '</td><td data-l="because">',
                    escape(environment.finalize(environment.getattr(l_2_s, 'because'))),
                    '</td></tr>\n',
                ))
            l_2_s = missing
            t_11.extend((
                '</tbody></table></div>\n',
                escape(environment.finalize(context.call((undefined(name='more') if l_1_more is missing else l_1_more), environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'signals'), environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'rows')))),
                '\n',
            ))
        if environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'unmapped'):
            pass
            t_11.append(
                '<details',
            )
            if (t_1(environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'unmapped')) <= 8):
                pass
                t_11.append(
                    ' open',
                )
            t_11.extend((
                '><summary>',
                escape(environment.finalize(t_4(t_1(environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'unmapped'))))),
                ' not placed</summary>\n<p>',
            ))
            l_2_loop = missing
            for l_2_x, l_2_loop in LoopContext(environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'unmapped')[:environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'rows')], undefined):
                _loop_vars = {}
                pass
                t_11.extend((
                    escape(environment.finalize((', ' if (not environment.getattr(l_2_loop, 'first')) else ''))),
                    '<code>',
                    escape(environment.finalize(environment.getattr(l_2_x, 'tag'))),
                    '</code> (',
                    escape(environment.finalize(t_4(environment.getattr(l_2_x, 'points')))),
                    ')',
                ))
            l_2_loop = l_2_x = missing
            t_11.extend((
                '</p>\n',
                escape(environment.finalize(context.call((undefined(name='more') if l_1_more is missing else l_1_more), environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'unmapped'), environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'rows')))),
                '\n<p class="meta">If one of them matters, say what it is: <code>--map ROLE=TAG</code>.</p></details>\n',
            ))
        return concat(t_11)
    caller = Macro(environment, macro, None, (), False, False, False, context.eval_ctx.autoescape)
    yield context.call((undefined(name='sheet') if l_0_sheet is missing else l_0_sheet), 'names', 'How names were understood', t_1(environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'signals')), caller=caller)
    if environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'settings'):
        pass
        def macro():
            t_12 = []
            l_1_more = resolve('more')
            pass
            t_12.append(
                '<div class="wide" tabindex="0"><table class="stack">\n<thead><tr><th>Setting</th><th>Value</th><th>Your key</th><th>Where</th></tr></thead>\n<tbody>\n',
            )
            for l_2_s in environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'settings')[:environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'rows')]:
                _loop_vars = {}
                pass
                t_12.extend((
                    '<tr><td><code>',
                    escape(environment.finalize(environment.getattr(l_2_s, 'name'))),
                    '</code></td><td data-l="value"><code>',
                    escape(environment.finalize(environment.getattr(l_2_s, 'value'))),
                    '</code></td><td data-l="your key"><code>',
                    escape(environment.finalize(environment.getattr(l_2_s, 'key'))),
                    '</code></td><td data-l="where">',
                    escape(environment.finalize((environment.getattr(l_2_s, 'file') or 'the log'))),
                ))
                if environment.getattr(l_2_s, 'line'):
                    pass
                    t_12.extend((
                        ':',
                        escape(environment.finalize(environment.getattr(l_2_s, 'line'))),
                    ))
                if environment.getattr(l_2_s, 'how'):
                    pass
                    t_12.extend((
                        '<br><span class="meta">read in code: ',
                        escape(environment.finalize(environment.getattr(l_2_s, 'how'))),
                        ' (',
                        escape(environment.finalize(environment.getattr(l_2_s, 'confidence'))),
                        ' confidence)</span>',
                    ))
                t_12.append(
                    '</td></tr>\n',
                )
            l_2_s = missing
            t_12.extend((
                '</tbody></table></div>\n',
                escape(environment.finalize(context.call((undefined(name='more') if l_1_more is missing else l_1_more), environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'settings'), environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'rows')))),
                '\n',
            ))
            return concat(t_12)
        caller = Macro(environment, macro, None, (), False, False, False, context.eval_ctx.autoescape)
        yield context.call((undefined(name='sheet') if l_0_sheet is missing else l_0_sheet), 'settings', 'Settings understood', t_1(environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'settings')), caller=caller)
    if environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'checkpoints'):
        pass
        def macro():
            t_13 = []
            l_1_more = resolve('more')
            pass
            t_13.append(
                '<p class="meta">Read as data: no code in them was run.',
            )
            if environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'drawn'):
                pass
                t_13.append(
                    ' The samples below were drawn by running the numbers of G through layers of our own.',
                )
            t_13.append(
                '</p>\n<ul class="plain">\n',
            )
            l_2_loop = missing
            for l_2_c, l_2_loop in LoopContext(environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'checkpoints')[:environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'rows')], undefined):
                _loop_vars = {}
                pass
                t_13.extend((
                    '<li><b><code>',
                    escape(environment.finalize(environment.getattr(l_2_c, 'path'))),
                    '</code></b> <span class="muted">',
                    escape(environment.finalize(environment.getattr(l_2_c, 'kind'))),
                ))
                if (not t_6(environment.getattr(l_2_c, 'step'))):
                    pass
                    t_13.extend((
                        ', step ',
                        escape(environment.finalize(t_4(environment.getattr(l_2_c, 'step')))),
                    ))
                t_13.append(
                    '</span>\n',
                )
                for l_3_n in environment.getattr(l_2_c, 'networks'):
                    _loop_vars = {}
                    pass
                    t_13.extend((
                        '<br><code>',
                        escape(environment.finalize(environment.getattr(l_3_n, 'name'))),
                        '</code> ',
                        escape(environment.finalize(t_5(environment.getattr(l_3_n, 'role')))),
                    ))
                    if environment.getattr(l_3_n, 'average'):
                        pass
                        t_13.append(
                            ' (moving average)',
                        )
                    t_13.extend((
                        ': ',
                        escape(environment.finalize(t_4(environment.getattr(l_3_n, 'parameters')))),
                        ' parameters in ',
                        escape(environment.finalize(t_4(environment.getattr(l_3_n, 'tensors')))),
                        ' tensors',
                    ))
                l_3_n = missing
                for l_3_x in environment.getattr(l_2_c, 'optimisers'):
                    _loop_vars = {}
                    pass
                    t_13.extend((
                        '<br>',
                        escape(environment.finalize(l_3_x)),
                    ))
                l_3_x = missing
                for l_3_x in environment.getattr(l_2_c, 'said'):
                    _loop_vars = {}
                    pass
                    t_13.extend((
                        '<br>',
                        escape(environment.finalize(l_3_x)),
                    ))
                l_3_x = missing
                if environment.getattr(l_2_c, 'foreign'):
                    pass
                    t_13.append(
                        '<br>would call if it were unpickled: ',
                    )
                    l_3_loop = missing
                    for l_3_x, l_3_loop in LoopContext(environment.getattr(l_2_c, 'foreign'), undefined):
                        _loop_vars = {}
                        pass
                        t_13.extend((
                            escape(environment.finalize((', ' if (not environment.getattr(l_3_loop, 'first')) else ''))),
                            '<code>',
                            escape(environment.finalize(l_3_x)),
                            '</code>',
                        ))
                    l_3_loop = l_3_x = missing
                t_13.append(
                    '</li>\n',
                )
            l_2_loop = l_2_c = missing
            t_13.extend((
                '</ul>\n',
                escape(environment.finalize(context.call((undefined(name='more') if l_1_more is missing else l_1_more), environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'checkpoints'), environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'rows')))),
                '\n',
            ))
            for l_2_d in environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'drawn')[:6]:
                _loop_vars = {}
                pass
                t_13.extend((
                    '<p class="label">Samples drawn from <code>',
                    escape(environment.finalize(environment.getattr(l_2_d, 'network'))),
                    '</code> of <code>',
                    escape(environment.finalize(environment.getattr(l_2_d, 'path'))),
                    '</code>',
                ))
                if (not t_6(environment.getattr(l_2_d, 'step'))):
                    pass
                    t_13.extend((
                        ', step ',
                        escape(environment.finalize(t_4(environment.getattr(l_2_d, 'step')))),
                    ))
                t_13.append(
                    '</p>\n',
                )
                if environment.getattr(l_2_d, 'picture'):
                    pass
                    t_13.extend((
                        '<p><img alt="A grid of samples" src="',
                        escape(environment.finalize(t_3(environment.getattr(l_2_d, 'picture')))),
                        '"></p>',
                    ))
                t_13.extend((
                    '<p class="meta">',
                    escape(environment.finalize(environment.getattr(l_2_d, 'how'))),
                    '</p>\n',
                ))
            l_2_d = missing
            return concat(t_13)
        caller = Macro(environment, macro, None, (), False, False, False, context.eval_ctx.autoescape)
        yield context.call((undefined(name='sheet') if l_0_sheet is missing else l_0_sheet), 'checkpoints', 'Checkpoints', t_1(environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'checkpoints')), caller=caller)
    def macro():
        t_14 = []
        l_1_more = resolve('more')
        pass
        t_14.append(
            '<div class="wide" tabindex="0"><table class="stack">\n<thead><tr><th>File</th><th>As</th><th class="num">Values</th><th>Lost</th></tr></thead>\n<tbody>\n',
        )
        for l_2_s in environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'sources')[:environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'rows')]:
            _loop_vars = {}
            pass
            t_14.extend((
                '<tr><td><code>',
                escape(environment.finalize(environment.getattr(l_2_s, 'path'))),
                '</code></td><td data-l="as">',
                escape(environment.finalize(environment.getattr(l_2_s, 'parser'))),
                '</td><td data-l="values" class="num">',
                escape(environment.finalize(t_4(environment.getattr(l_2_s, 'points')))),
                '</td><td data-l="lost">',
                escape(environment.finalize((environment.getattr(l_2_s, 'lost') or 'nothing'))),
                '</td></tr>\n',
            ))
        l_2_s = missing
        t_14.extend((
            '</tbody></table></div>\n',
            escape(environment.finalize(context.call((undefined(name='more') if l_1_more is missing else l_1_more), environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'sources'), environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'rows')))),
            '\n',
        ))
        if environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'preferences'):
            pass
            t_14.append(
                '<p class="label">What preferences changed of what is judged</p>\n<ul>',
            )
            for l_2_x in environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'preferences'):
                _loop_vars = {}
                pass
                t_14.extend((
                    '<li>',
                    escape(environment.finalize(l_2_x)),
                    '</li>',
                ))
            l_2_x = missing
            t_14.append(
                '</ul>\n',
            )
        if environment.getattr(environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'run'), 'notes'):
            pass
            t_14.append(
                '<ul>',
            )
            for l_2_x in environment.getattr(environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'run'), 'notes'):
                _loop_vars = {}
                pass
                t_14.extend((
                    '<li>',
                    escape(environment.finalize(l_2_x)),
                    '</li>',
                ))
            l_2_x = missing
            t_14.append(
                '</ul>\n',
            )
        return concat(t_14)
    caller = Macro(environment, macro, None, (), False, False, False, context.eval_ctx.autoescape)
    yield context.call((undefined(name='sheet') if l_0_sheet is missing else l_0_sheet), 'read', 'What was read', t_1(environment.getattr(environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'run'), 'sources')), caller=caller)

blocks = {}
debug_info = '1=51&2=63&3=66&5=73&9=79&10=82&11=84&14=88&15=92&20=103&21=106&22=108&27=112&28=116&33=132&34=135&35=137&36=141&39=143&40=145&43=151&44=156&40=179&49=180&50=182&53=188&55=194&57=213&50=243&62=244&63=247&65=252&69=269&71=274&62=290&74=291&75=295&79=300&80=305&83=333&85=336&86=341&87=352&88=366&74=371&92=372&93=374&97=381&98=386&101=415&93=420&104=421&105=423&106=430&108=439&109=444&110=457&111=479&112=487&113=495&116=517&117=520&118=525&119=539&120=548&105=554&124=555&128=562&129=567&132=579&133=582&135=587&137=599&138=604&124=618'
