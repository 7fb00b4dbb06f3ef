// Makes the pages smoother; every page works without it. Theme, popover states, dialogs, filter fold,
// keyboard, and what htmx needs to stay honest about failures.
(() => {
  'use strict';
  const root = document.documentElement;
  const $ = (sel, from = document) => from.querySelector(sel);
  const all = (sel, from = document) => [...from.querySelectorAll(sel)];

  // ----- theme: show at once, remember by POST -----
  const shown = () => {
    const t = root.dataset.bsTheme;
    return t === 'auto' ? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light') : t;
  };
  document.addEventListener('submit', (e) => {
    const form = e.target, button = e.submitter;
    // What was opened since the page came is part of the address too: language and theme lead back to it.
    const next = form.closest('.hb-tools') && $('input[name=next]', form);
    if (next && next.value !== '/') next.value = location.pathname + location.search + location.hash;
    if (!form.matches('[data-theme-form]') || !button) return;
    e.preventDefault();
    const menu = form.closest('.hb-menu');
    const theme = menu ? button.value : (shown() === 'dark' ? 'light' : 'dark');
    root.dataset.bsTheme = theme;
    for (const b of all('.hb-menu [data-theme-form] button')) b.setAttribute('aria-pressed', String(b.value === theme));
    const body = new URLSearchParams(new FormData(form));
    body.set('theme', theme);
    fetch(form.action, { method: 'POST', body, redirect: 'manual', keepalive: true }).catch(() => {});
  });

  // ----- a list that grows: the address bar shows these very rows, so that a copied link does too -----
  for (const list of all('[data-pin]')) history.replaceState(history.state, '', list.dataset.pin);

  // ----- pages opened last, kept by this tab until somebody signs out, offered where one searches -----
  const org = location.pathname.split('/')[1] === 'o' && location.pathname.split('/')[2];
  if (org && $('.hb-head h1')) {
    const key = `opened ${org}`, here = location.pathname + location.search, list = $('[data-recent]');
    let opened = [];
    try { opened = JSON.parse(sessionStorage.getItem(key)) || []; } catch { /* whatever stood there is no list of ours */ }
    if (list) {
      for (const p of opened) {
        const a = document.createElement('a'), li = document.createElement('li');
        [a.href, a.textContent] = [p.href, p.text];
        li.append(a);
        $('ul', list).append(li);
      }
      list.hidden = !opened.length;
    } else {
      const cycle = new URLSearchParams(location.search).get('cycle') || '';
      const text = `${$('.hb-head h1').textContent.trim()} ${$('.hb-tabs [aria-current]')?.textContent.trim() || ''} ${cycle}`.replace(/\s+/g, ' ').trim();
      opened = [{ href: here, text }, ...opened.filter((p) => p.text !== text)].slice(0, 6);
      sessionStorage.setItem(key, JSON.stringify(opened));
    }
  }
  document.addEventListener('submit', (e) => { if (e.target.action?.endsWith('/logout')) sessionStorage.clear(); });

  // ----- popovers tell their buttons -----
  document.addEventListener('toggle', (e) => {
    const id = e.target.id;
    if (!id || !e.target.matches('[popover]')) return;
    for (const b of all(`[popovertarget="${CSS.escape(id)}"]`)) b.setAttribute('aria-expanded', String(e.newState === 'open'));
  }, true);

  // ----- dialogs, where the browser does not know command= yet -----
  const knowsCommand = 'commandForElement' in HTMLButtonElement.prototype;
  document.addEventListener('click', (e) => {
    const b = e.target.closest('button, a');
    if (!b) return;
    if (b.getAttribute('aria-disabled') === 'true') e.preventDefault();
    if (!knowsCommand && b.dataset.open) document.getElementById(b.dataset.open)?.showModal();
    if (!knowsCommand && 'close' in b.dataset) b.closest('dialog')?.close();
    if ('unfold' in b.dataset) {
      const folded = b.closest('.hb-filter').classList.toggle('fold');
      b.setAttribute('aria-expanded', String(!folded));
    }
  });

  // ----- phone: fold the rarer filter fields -----
  const fold = (from) => {
    for (const f of all('.hb-filter', from)) {
      const b = $('[data-unfold]', f);
      if (!b || !b.hidden || !$('.more', f) || !matchMedia('(max-width: 640px)').matches) continue;
      b.hidden = false;
      f.classList.add('fold');
    }
  };
  fold(document);

  // ----- a success goes away, unless somebody is reading it -----
  for (const f of all('[data-flash="good"]')) {
    f.classList.add('hb-toast');
    const go = () => { if (f.matches(':hover, :focus-within')) setTimeout(go, 2000); else f.remove(); };
    setTimeout(go, 6000);
  }

  // ----- copy what a field shows -----
  document.addEventListener('click', (e) => {
    const b = e.target.closest('[data-copy]'), field = b && document.getElementById(b.dataset.copy);
    if (!field) return;
    field.select();
    navigator.clipboard?.writeText(field.value).then(() => { b.textContent = b.dataset.copied; }, () => {});
  });

  // ----- keyboard -----
  let afterG = 0;
  const typing = (t) => t.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(t.tagName);
  const rows = () => all('[data-rows] tbody tr:not(.why)');
  const stop = (row) => $('[data-why], a, button', row);
  const move = (by) => {
    const list = rows(), here = list.findIndex((r) => r.contains(document.activeElement));
    const next = list[here < 0 ? (by > 0 ? 0 : list.length - 1) : here + by];
    if (next) { stop(next)?.focus(); next.scrollIntoView({ block: 'nearest' }); }
  };
  // The field where it is shown, else the page it would lead to.
  const search = () => {
    const field = $('[data-search]');
    if (field && field.offsetParent) field.select(); else $('.hb-find-open')?.click();
  };
  document.addEventListener('keydown', (e) => {
    if ((e.ctrlKey || e.metaKey) && !e.altKey && !e.shiftKey && e.key.toLowerCase() === 'k' && !$('dialog[open]') && $('[data-search]')) {
      e.preventDefault();
      search();
      return;
    }
    if (!('shortcuts' in document.body.dataset) || e.ctrlKey || e.metaKey || e.altKey || typing(e.target) || $('dialog[open]')) return;
    if (afterG && Date.now() - afterG < 1500) {
      afterG = 0;
      const to = $(`a[data-go="${CSS.escape(e.key)}"]`);
      if (to) { e.preventDefault(); location.href = to.href; }
      return;
    }
    const acts = {
      g: () => { afterG = Date.now(); },
      j: () => move(1),
      k: () => move(-1),
      e: () => $('[data-shortcut="e"]')?.click(),
      '?': () => document.getElementById('keys')?.showModal(),
      '/': search,
      f: () => $('.hb-filter :is(input:not([type=hidden]), select)')?.focus(),
    };
    if (acts[e.key]) { e.preventDefault(); acts[e.key](); }
  });

  // ----- what leads on by itself: between a partner's platform and here -----
  const send = $('[data-send]');
  if (send) setTimeout(() => (send.matches('form') ? send.requestSubmit() : send.click()));

  // ----- htmx -----
  document.addEventListener('htmx:beforeSwap', (e) => {
    const { xhr, target } = e.detail;
    // An answer that is another page (signed out meanwhile, an error) is shown whole, never swapped in.
    if (target && target.id && !xhr.responseText.includes(`id="${target.id}"`)) {
      e.detail.shouldSwap = false;
      location.href = xhr.responseURL || location.href;
    }
  });
  document.addEventListener('htmx:responseError', (e) => {
    if (e.detail.requestConfig.verb === 'get') location.href = e.detail.pathInfo.requestPath;
  });
  document.addEventListener('htmx:sendError', (e) => {
    if (e.detail.requestConfig.verb === 'get' && !e.detail.elt.hasAttribute('hx-trigger')) location.href = e.detail.pathInfo.requestPath;
  });
  let opener = '';
  document.addEventListener('htmx:beforeRequest', (e) => {
    const row = e.detail.elt.closest('tr[id]');
    opener = row ? row.id : '';
  });
  document.addEventListener('htmx:afterSettle', () => {
    fold(document);
    if (!opener) return;
    const row = document.getElementById(opener);
    opener = '';
    if (row) { $('[data-why]', row)?.focus({ preventScroll: true }); row.scrollIntoView({ block: 'nearest' }); }
  });
})();
