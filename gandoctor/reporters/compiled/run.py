# Made from templates/run.html.j2 by `python -m gandoctor.reporters.compiled`: change that.
JINJA = '3.1'
MADE_FROM = '4dbcb536af6788535642bd789f0958b82de1cec19f2d09ec3d04ca8bafa67827'
from jinja2.runtime import LoopContext, Macro, Markup, Namespace, TemplateNotFound, TemplateReference, TemplateRuntimeError, Undefined, escape, identity, internalcode, markup_join, missing, str_join
name = 'run.html.j2'

def root(context, missing=missing):
    resolve = context.resolve_or_missing
    undefined = environment.undefined
    concat = environment.concat
    cond_expr_undefined = Undefined
    if 0: yield None
    l_0_run = resolve('run')
    l_0_cause = resolve('cause')
    l_0_finding = resolve('finding')
    l_0_figure = l_0_figures = l_0_more = l_0_tally = l_0_r = l_0_game = missing
    try:
        t_1 = environment.filters['join']
    except KeyError:
        @internalcode
        def t_1(*unused):
            raise TemplateRuntimeError("No filter named 'join' found.")
    try:
        t_2 = environment.filters['picture']
    except KeyError:
        @internalcode
        def t_2(*unused):
            raise TemplateRuntimeError("No filter named 'picture' found.")
    try:
        t_3 = environment.filters['thousands']
    except KeyError:
        @internalcode
        def t_3(*unused):
            raise TemplateRuntimeError("No filter named 'thousands' found.")
    pass
    included_template = environment.get_template('pieces.html.j2', 'run.html.j2')._get_default_module(context)
    l_0_figure = getattr(included_template, 'figure', missing)
    if l_0_figure is missing:
        l_0_figure = undefined(f"the template {included_template.__name__!r} (imported on line 1 in 'run.html.j2') does not export the requested name 'figure'", name='figure')
    l_0_figures = getattr(included_template, 'figures', missing)
    if l_0_figures is missing:
        l_0_figures = undefined(f"the template {included_template.__name__!r} (imported on line 1 in 'run.html.j2') does not export the requested name 'figures'", name='figures')
    l_0_more = getattr(included_template, 'more', missing)
    if l_0_more is missing:
        l_0_more = undefined(f"the template {included_template.__name__!r} (imported on line 1 in 'run.html.j2') does not export the requested name 'more'", name='more')
    l_0_tally = getattr(included_template, 'tally', missing)
    if l_0_tally is missing:
        l_0_tally = undefined(f"the template {included_template.__name__!r} (imported on line 1 in 'run.html.j2') does not export the requested name 'tally'", name='tally')
    context.vars.update({'figure': l_0_figure, 'figures': l_0_figures, 'more': l_0_more, 'tally': l_0_tally})
    context.exported_vars.difference_update(('figure', 'figures', 'more', 'tally'))
    l_0_r = environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'report')
    context.vars['r'] = l_0_r
    context.exported_vars.add('r')
    l_0_game = environment.getattr(environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'run'), 'objective')
    context.vars['game'] = l_0_game
    context.exported_vars.add('game')
    yield '<article class="run '
    yield escape(environment.finalize(environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'verdict')))
    yield '" id="'
    yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'id')))
    yield 'run">\n<header class="hero'
    if (not environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'head')):
        pass
        yield ' alone'
    yield '">\n<div class="verdict">\n<p class="name">'
    yield escape(environment.finalize(environment.getattr(environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'run'), 'name')))
    yield '</p>\n<h'
    yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'level')))
    yield '><span class="word">'
    yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'word')))
    yield '</span>'
    if environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'since'):
        pass
        yield ' <span class="since">since '
        yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'since')))
        yield '</span>'
    yield '</h'
    yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'level')))
    yield '>\n<p class="lede">'
    yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'why')))
    yield '</p>\n<dl>\n'
    if environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'first'):
        pass
        yield '<div><dt>Try first</dt><dd><a href="#'
        yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'id')))
        yield 'patch'
        yield escape(environment.finalize(environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'first'), 'number')))
        yield '">'
        yield escape(environment.finalize(environment.getattr(environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'first'), 'it'), 'title')))
        yield '</a>'
        for l_1_e in environment.getattr(environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'first'), 'it'), 'edits')[:3]:
            _loop_vars = {}
            pass
            yield '<br><code>'
            yield escape(environment.finalize(environment.getattr(l_1_e, 'key')))
            yield '</code> <del>'
            yield escape(environment.finalize(environment.getattr(l_1_e, 'old')))
            yield '</del> <span aria-hidden="true">&rarr;</span> <ins>'
            yield escape(environment.finalize(environment.getattr(l_1_e, 'new')))
            yield '</ins>'
        l_1_e = missing
        yield '</dd></div>\n'
    if environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'sure'):
        pass
        yield '<div><dt>Belief</dt><dd>'
        if environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'belief'):
            pass
            yield '<a href="#'
            yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'id')))
            yield 'belief">'
            yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'sure')))
            yield '</a>'
        else:
            pass
            yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'sure')))
        yield ' sure that the run has failed</dd></div>\n'
    if environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'best'):
        pass
        yield '<div><dt>Best point</dt><dd>'
        yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'best')))
        yield '</dd></div>\n'
    if environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'health'):
        pass
        yield '<div><dt>For it</dt><dd>'
        yield escape(environment.finalize(t_1(context.eval_ctx, environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'health'), '; ')))
        yield '</dd></div>\n'
    if environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'unseen'):
        pass
        yield '<div><dt>Not looked at</dt><dd><a href="#'
        yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'id')))
        yield 'open">'
        yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'unseen')))
        yield '</a></dd></div>\n'
    yield '<div><dt>Read</dt><dd>'
    yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'read')))
    yield '</dd></div>\n<div><dt>Objective</dt><dd>'
    yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'game')))
    yield ' <span class="muted">('
    yield escape(environment.finalize(environment.getattr((undefined(name='game') if l_0_game is missing else l_0_game), 'confidence')))
    yield ' confidence)</span>'
    if environment.getattr((undefined(name='game') if l_0_game is missing else l_0_game), 'led_by'):
        pass
        yield '<br>G is led by <code>'
        yield escape(environment.finalize(environment.getattr((undefined(name='game') if l_0_game is missing else l_0_game), 'led_by')))
        yield '</code>'
    if environment.getattr((undefined(name='game') if l_0_game is missing else l_0_game), 'because'):
        pass
        yield '<ul class="because">'
        for l_1_x in environment.getattr((undefined(name='game') if l_0_game is missing else l_0_game), 'because'):
            _loop_vars = {}
            pass
            yield '<li>'
            yield escape(environment.finalize(l_1_x))
            yield '</li>'
        l_1_x = missing
        yield '</ul>'
    yield '</dd></div>\n</dl>\n</div>\n'
    if environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'head'):
        pass
        yield escape(environment.finalize(context.call((undefined(name='figure') if l_0_figure is missing else l_0_figure), environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'head'))))
        yield '\n'
    if environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'time'):
        pass
        yield '<div class="timeline">\n'
        yield escape(environment.finalize(environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'time'), 'svg')))
        yield '\n<ul class="legend">'
        for (l_1_kind, l_1_text) in environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'time'), 'legend'):
            _loop_vars = {}
            pass
            yield '<li><i class="k'
            yield escape(environment.finalize(l_1_kind))
            yield '"></i>'
            yield escape(environment.finalize(l_1_text))
            yield '</li>'
        l_1_kind = l_1_text = missing
        yield '</ul>\n'
        if environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'time'), 'events'):
            pass
            yield '<dl class="events">'
            for (l_1_when, l_1_what) in environment.getattr(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'time'), 'events'):
                _loop_vars = {}
                pass
                yield '<div><dt>'
                yield escape(environment.finalize(l_1_when))
                yield '</dt><dd>'
                yield escape(environment.finalize(l_1_what))
                yield '</dd></div>'
            l_1_when = l_1_what = missing
            yield '</dl>\n'
        yield '</div>\n'
    yield '</header>\n'
    if environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'nav'):
        pass
        yield '<nav aria-label="Sections'
        if (environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'level') > 1):
            pass
            yield ' of '
            yield escape(environment.finalize(environment.getattr(environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'run'), 'name')))
        yield '">\n'
        for (l_1_to, l_1_name, l_1_n) in environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'nav'):
            _loop_vars = {}
            pass
            yield '<a href="#'
            yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'id')))
            yield escape(environment.finalize(l_1_to))
            yield '">'
            yield escape(environment.finalize(l_1_name))
            yield escape(environment.finalize(context.call((undefined(name='tally') if l_0_tally is missing else l_0_tally), l_1_n, _loop_vars=_loop_vars)))
            yield '</a>\n'
        l_1_to = l_1_name = l_1_n = missing
        yield '</nav>\n'
    if (environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'pictures') and (not environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'brief'))):
        pass
        yield '<section class="card samples" id="'
        yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'id')))
        yield 'samples"><p class="kicker">Samples</p>\n<div class="looks">\n'
        for l_1_p in environment.getattr((undefined(name='r') if l_0_r is missing else l_0_r), 'pictures'):
            _loop_vars = {}
            pass
            yield '<figure><img alt="Samples: '
            yield escape(environment.finalize(environment.getattr(l_1_p, 'what')))
            yield '" src="'
            yield escape(environment.finalize(t_2(environment.getattr(l_1_p, 'picture'))))
            yield '"><figcaption><b>'
            yield escape(environment.finalize(environment.getattr(l_1_p, 'what')))
            yield '</b><br>step '
            yield escape(environment.finalize(t_3(environment.getattr(l_1_p, 'step'))))
            if environment.getattr(l_1_p, 'told'):
                pass
                yield ', '
                yield escape(environment.finalize(environment.getattr(l_1_p, 'told')))
            yield '</figcaption></figure>\n'
        l_1_p = missing
        yield '</div>\n</section>\n'
    if environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'causes'):
        pass
        included_template = environment.get_template('causes.html.j2', 'run.html.j2')._get_default_module(context)
        l_0_cause = getattr(included_template, 'cause', missing)
        if l_0_cause is missing:
            l_0_cause = undefined(f"the template {included_template.__name__!r} (imported on line 63 in 'run.html.j2') does not export the requested name 'cause'", name='cause')
        context.vars['cause'] = l_0_cause
        context.exported_vars.discard('cause')
        yield '<div id="'
        yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'id')))
        yield 'causes">\n'
        for l_1_c in environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'causes'):
            _loop_vars = {}
            pass
            yield escape(environment.finalize(context.call((undefined(name='cause') if l_0_cause is missing else l_0_cause), l_1_c, environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'id'), (environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'level') + 1), _loop_vars=_loop_vars)))
        l_1_c = missing
        yield '</div>\n'
    if environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'lone'):
        pass
        included_template = environment.get_template('findings.html.j2', 'run.html.j2')._get_default_module(context)
        l_0_finding = getattr(included_template, 'finding', missing)
        if l_0_finding is missing:
            l_0_finding = undefined(f"the template {included_template.__name__!r} (imported on line 69 in 'run.html.j2') does not export the requested name 'finding'", name='finding')
        context.vars['finding'] = l_0_finding
        context.exported_vars.discard('finding')
        yield '<div id="'
        yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'id')))
        yield 'findings">\n'
        for (l_1_kicker, l_1_tone, l_1_f) in environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'lone'):
            _loop_vars = {}
            pass
            yield '<section class="card '
            yield escape(environment.finalize(l_1_tone))
            yield '"><p class="kicker">'
            yield escape(environment.finalize(l_1_kicker))
            yield '</p>'
            yield escape(environment.finalize(context.call((undefined(name='finding') if l_0_finding is missing else l_0_finding), l_1_f, (environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'level') + 1), _loop_vars=_loop_vars)))
            yield '</section>\n'
        l_1_kicker = l_1_tone = l_1_f = missing
        yield '</div>\n'
    if (environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'probe') and (not environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'brief'))):
        pass
        template = environment.get_template('probe.html.j2', 'run.html.j2')
        gen = template.root_render_func(template.new_context(context.get_all(), True, {'cause': l_0_cause, 'figure': l_0_figure, 'figures': l_0_figures, 'finding': l_0_finding, 'game': l_0_game, 'more': l_0_more, 'r': l_0_r, 'tally': l_0_tally}))
        try:
            for event in gen:
                yield event
        finally: gen.close()
    if (environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'trials') and (not environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'brief'))):
        pass
        template = environment.get_template('trials.html.j2', 'run.html.j2')
        gen = template.root_render_func(template.new_context(context.get_all(), True, {'cause': l_0_cause, 'figure': l_0_figure, 'figures': l_0_figures, 'finding': l_0_finding, 'game': l_0_game, 'more': l_0_more, 'r': l_0_r, 'tally': l_0_tally}))
        try:
            for event in gen:
                yield event
        finally: gen.close()
    if environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'brief'):
        pass
        yield '<p class="meta">In brief. Its own report (<code>gandoctor analyze RUN</code>) has also '
        yield escape(environment.finalize(environment.getattr((undefined(name='run') if l_0_run is missing else l_0_run), 'brief')))
        yield '.</p>\n'
    else:
        pass
        template = environment.get_template('rest.html.j2', 'run.html.j2')
        gen = template.root_render_func(template.new_context(context.get_all(), True, {'cause': l_0_cause, 'figure': l_0_figure, 'figures': l_0_figures, 'finding': l_0_finding, 'game': l_0_game, 'more': l_0_more, 'r': l_0_r, 'tally': l_0_tally}))
        try:
            for event in gen:
                yield event
        finally: gen.close()
    yield '</article>'

blocks = {}
debug_info = '1=33&2=48&3=51&4=55&5=59&7=63&8=65&9=77&11=79&12=82&13=88&15=100&16=103&18=114&19=117&21=119&22=122&24=124&25=127&27=132&28=134&29=138&30=143&33=155&34=157&36=159&38=162&39=164&40=174&41=177&46=189&47=192&48=197&49=201&53=209&54=212&56=214&57=218&62=232&63=234&64=241&65=243&68=249&69=251&70=258&71=260&72=264&76=272&77=274&79=280&80=282&82=288&83=291&85=295'
