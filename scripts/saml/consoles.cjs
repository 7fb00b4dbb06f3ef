// The portal is the sales platform of a partner, and customers go from it to consoles made of mod_auth_mellon, the
// Shibboleth SP and node-saml: from the console and from the platform, with Chinese names, encrypted; cancelled at the
// platform; somebody else's customer; keys rolled over on both sides; out from both sides.
// Arguments: the portal's binary and a folder that holds the packages of Debian below root/. PEERS names the consoles,
// MODULES the folder with node_modules.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { Apache, Mellon, Shibboleth, told } = require('./apache.cjs');
const { NodeSP } = require('./nodesp.cjs');
const { Browser, Portal, check, same, form, keyPair, run } = require('./lib.cjs');

const [binary, work] = process.argv.slice(2).map((p) => path.resolve(p));
const peers = process.env.PEERS.split(' ');
const name = '星河科技（上海）有限公司';

// begin starts the consoles that could be brought.
async function begin(idp) {
  const certs = path.join(work, 'certs');
  fs.mkdirSync(certs);
  for (const n of ['one', 'two']) keyPair(certs, n);
  for (const f of fs.readdirSync(certs)) fs.chmodSync(path.join(certs, f), 0o644);
  const consoles = [];
  if (peers.includes('mellon')) {
    const apache = new Apache(work);
    await apache.start(idp, 'one');
    consoles.push(new Mellon(apache), new Shibboleth(apache));
  }
  if (peers.includes('node')) {
    const node = new NodeSP(work, process.env.MODULES);
    await node.start(idp, 'one');
    consoles.push(node);
  }
  return consoles;
}

const attributes = ['xAccountId', 'xUserId', 'name', 'email'].flatMap((n) => ['--attr', `${n}=${n}`]);
const register = (portal, c, ...more) => portal.cli('sso', 'sp', 'add', '--partner', 'P1', '--metadata', c.metadata, ...more);

// goes opens a console in a browser and does what the platform asks of a customer.
async function goes(who, browser, c, page) {
  page ??= await browser.open(`${c.base}/`);
  const asked = [];
  if (/name="password"/.test(page.body)) {
    asked.push('password');
    page = await browser.submit(page, { username: who.login, password: who.password });
  }
  if (form(page)?.fields.do === 'continue') {
    asked.push('consent');
    check(`${c.kind}: what is handed over stands on the page`, page.body.includes(who.name), page.body);
    page = await browser.submit(page, { remember: 'true' });
  }
  return { page, asked: asked.join('+'), told: told(page) };
}

async function arrives(portal, who, browser, c, what, want, page) {
  const got = await goes(who, browser, c, page);
  const title = `${c.kind}: ${what}`;
  check(`${title}: at the console`, got.page.status === 200 && got.page.url === `${c.base}/`, `${got.page.status} ${got.page.url}\n${got.page.body}\n${c.problems ?? ''}`);
  same(`${title}: asked for`, got.asked, want);
  for (const [field, value] of Object.entries({ issuer: portal.host.entity, xAccountId: who.code, name: who.name })) same(`${title}: ${field}`, got.told[field], value);
  same(`${title}: encrypted by`, /<xenc:EncryptionMethod Algorithm="[^"#]*#(aes[^"]*)"/.exec(browser.said)?.[1], c.cipher);
  check(`${title}: a name of its own`, (c.transient ? /^_[a-z2-7]{32}$/ : /^[a-z2-7]{32}$/).test(got.told.subject ?? ''), got.told);
  return got.told.subject;
}

// entries: the first and second time, from the console, and from the platform. Each console knows the customer by a
// name of its own, for ever or anew each time.
async function entries(portal, who, consoles) {
  const b = new Browser(), names = {};
  for (const [i, c] of consoles.entries()) names[c.kind] = await arrives(portal, who, b, c, 'first entry', i === 0 ? 'password+consent' : 'consent');
  same('every console has a name of its own for the customer', new Set(Object.values(names)).size, consoles.length);
  for (const c of consoles) {
    const named = (what, now) => same(`${c.kind}: ${what}: the same name`, now === names[c.kind], !c.transient);
    named('second entry', await arrives(portal, who, new Browser(), c, 'second entry', 'password'));
    const began = new Browser();
    const choice = await began.submit(await began.open(`${portal.base}/platform/P1`), { username: who.login, password: who.password });
    const launch = [...choice.body.matchAll(/<form[^>]*action="([^"]*\/launch\/[^"]*)"[\s\S]*?<\/form>/g)].find((m) => choice.body.slice(0, m.index).split('<li').pop().includes(c.kind) || m[0].includes(c.kind));
    check(`${c.kind}: stands among the consoles`, launch, choice.body);
    if (!launch) continue;
    const page = await began.follow(await began.send('POST', new URL(launch[1], choice.url).href, {}));
    named('from the platform', await arrives(portal, who, began, c, 'from the platform', '', page));
  }
}

// plain: an operator who registers a console without encryption changes nothing else of it.
async function plain(portal, who, c) {
  await register(portal, c, '--encrypt', 'off');
  Object.assign(c, { encrypt: 'off', cipher: undefined });
  await arrives(portal, who, new Browser(), c, 'in plain', 'password');
}

// wishes: the Shibboleth SP asks for a fresh sign-in, or that the customer be left alone.
async function wishes(portal, who, c) {
  const b = new Browser();
  await goes(who, b, c);
  const login = (wish, target) => `${c.base}/Shibboleth.sso/Login?${wish}=true&target=${encodeURIComponent(c.base + target)}`;
  await arrives(portal, who, b, c, 'a fresh sign-in', 'password', await b.open(login('forceAuthn', '/')));
  const page = await new Browser().open(login('isPassive', '/left.html'));
  check(`${c.kind}: left alone`, page.url.startsWith(c.base) && /status(:|&#58;)NoPassive/.test(page.body), `${page.status} ${page.url}\n${page.body}`);
}

async function unwanted(portal, who, other, consoles) {
  for (const c of consoles) {
    let b = new Browser();
    let page = await b.open(`${c.base}/`);
    const cancel = [...page.body.matchAll(/<form[^>]*action="([^"]+)"[^>]*>\s*<input type="hidden" name="do" value="cancel"/g)][0];
    page = await b.follow(await b.send('POST', new URL(cancel[1], page.url).href, { do: 'cancel' }));
    check(`${c.kind}: cancelled, the console says that nobody came`, page.url.startsWith(c.base) && page.status >= 400 && !told(page).subject, `${page.status} ${page.url}\n${page.body}`);
    b = new Browser();
    page = await b.open(`${c.base}/`);
    page = await b.submit(page, { username: other.login, password: other.password });
    check(`${c.kind}: another partner's customer stays outside`, page.status === 403 && page.url.startsWith(portal.base) && page.body.includes('云岫科技'), `${page.status} ${page.url}\n${page.body}`);
  }
}

// theirRollover: a console signs and decrypts with another key; without being registered anew its questions are refused.
async function theirRollover(portal, who, c) {
  await c.keys('two');
  await portal.refused(`${c.kind}: a key that is not registered`, await new Browser().open(`${c.base}/`), 'sso.idp.sig');
  const again = await register(portal, c);
  same(`${c.kind}: registered anew`, `${again.entity} ${again.encrypt}`, `${c.entity} ${c.encrypt}`);
  await arrives(portal, who, new Browser(), c, 'with its new key', 'password');
}

async function ourRollover(portal, who, consoles) {
  const rotate = (phase) => portal.cli('sso', 'idp', 'rotate', portal.host.key, '--phase', phase, '--force');
  await rotate('publish');
  for (const c of consoles) await arrives(portal, who, new Browser(), c, 'our next key published', 'password');
  const late = consoles.filter((c) => c.kind !== 'shibboleth').pop();
  for (const c of consoles) if (c !== late) await c.learn();
  await rotate('switch');
  for (const c of consoles) if (c !== late) await arrives(portal, who, new Browser(), c, 'signed with our new key', 'password');
  if (late) {
    const { page } = await goes(who, new Browser(), late);
    check(`${late.kind}: does not take a key that it was not told`, page.url.startsWith(late.base) && page.status >= 400 && !told(page).subject, `${page.status} ${page.url}\n${page.body}`);
    await late.learn();
  }
  await rotate('retire');
  for (const c of consoles) {
    await c.learn();
    await arrives(portal, who, new Browser(), c, 'our new key alone', 'password');
  }
}

const signedOut = async (portal, browser, what) => same(`${what}: out of the portal`, (await browser.send('GET', `${portal.base}/api/session`)).status, 401);

// outside: a console that is opened now asks the platform, and the platform asks for the password.
async function outside(portal, browser, c, what) {
  const page = await browser.open(`${c.base}/`);
  check(`${what}: out of ${c.kind}`, page.url.startsWith(portal.base) && /name="password"/.test(page.body), `${page.status} ${page.url}\n${page.body}`);
}

async function everywhere(portal, who, consoles) {
  const b = new Browser();
  for (const c of consoles) await goes(who, b, c);
  for (const c of consoles) check(`${c.kind}: in`, told(await b.open(`${c.base}/`)).xAccountId === who.code);
  return b;
}

// leavesHere: the platform goes round the consoles, each takes the question and answers it.
async function leavesHere(portal, who, consoles) {
  const b = await everywhere(portal, who, consoles);
  const page = await b.follow(await b.send('POST', `${portal.base}/platform/P1/leaving`, {}));
  same('left at the platform: here and everywhere', page.body.split('已退出').length - 1, consoles.length + 1);
  check('left at the platform: none is missing', page.status === 200 && page.url.startsWith(`${portal.base}/platform/P1/leaving/`) && !page.body.includes('未能'), `${page.status} ${page.url}\n${page.body}`);
  await signedOut(portal, b, 'left at the platform');
  for (const c of consoles) await outside(portal, b, c, 'left at the platform');
}

// leavesThere: a console asks for the logout; the others are left too, and the one that asked is told.
async function leavesThere(portal, who, consoles, from) {
  const what = `left at ${from.kind}`, b = await everywhere(portal, who, consoles);
  const page = await b.open(from.leaves());
  check(`${what}: the console takes our answer`, page.status === 200 && page.url.startsWith(from.base) && /<p>left<\/p>/.test(page.body), `${page.status} ${page.url}\n${page.body}\n${from.problems ?? ''}`);
  await signedOut(portal, b, what);
  for (const c of consoles) await outside(portal, b, c, what);
}

// gone: a console that is no more is passed over, and the page says so.
async function gone(portal, who, consoles, dead) {
  const what = 'left without a console that is gone', b = await everywhere(portal, who, consoles);
  dead.stop();
  const left = await b.send('POST', `${portal.base}/platform/P1/leaving`, {});
  const round = new URL(left.headers.location, left.url).href;
  const stopped = await b.open(round).then(() => '', (e) => e.message);
  check(`${what}: the browser stops there`, /ECONNREFUSED/.test(stopped), stopped);
  const page = await b.follow(await b.send('POST', round, {}));
  same(`${what}: here and the others`, page.body.split('已退出').length - 1, consoles.length);
  check(`${what}: it is named`, page.status === 200 && page.body.includes(`控制台 ${dead.kind}`) && page.body.includes('已跳过'), `${page.status} ${page.url}\n${page.body}`);
}

run('consoles of the hosted platform', async () => {
  const portal = await Portal.start(binary, work);
  const who = await portal.customer(work, 'C1', name, 'xinghe', 'P1'), other = await portal.customer(work, 'C2', '别家的客户', 'bieren', 'P2');
  const { metadata } = await portal.cli('sso', 'metadata', '--partner', 'P1', '--role', 'idp');
  portal.host = { entity: /entityID="([^"]+)"/.exec(metadata)[1] };
  portal.host.key = portal.host.entity.split('/').slice(-2)[0];
  const consoles = await begin(portal.host.entity);
  const how = { mellon: ['optional', 'transient', 'aes256-cbc'], shibboleth: ['required', 'persistent', 'aes256-gcm'], node: ['required', 'persistent', 'aes256-gcm'] };
  for (const c of consoles) {
    const [encrypt, named, cipher] = how[c.kind];
    const added = await register(portal, c, '--name', `控制台 ${c.kind}`, '--encrypt', encrypt, '--name-id', named, ...attributes);
    Object.assign(c, { entity: added.entity, encrypt, cipher, transient: named === 'transient' });
    same(`${c.kind}: registered`, `${added.state} ${added.require_signed} ${added.slo} ${added.idp_key}`, `active true true ${portal.host.key}`);
  }
  await entries(portal, who, consoles);
  await unwanted(portal, who, other, consoles);
  for (const c of consoles) if (c.kind === 'shibboleth') await wishes(portal, who, c);
  await plain(portal, who, consoles[consoles.length - 1]);
  for (const c of consoles) await theirRollover(portal, who, c);
  await ourRollover(portal, who, consoles);
  await leavesHere(portal, who, consoles);
  for (const c of consoles) await leavesThere(portal, who, consoles, c);
  const node = consoles.find((c) => c.stop);
  if (node) await gone(portal, who, consoles, node);
  check('the portal says nothing of panics', !/panic/.test(fs.readFileSync(path.join(work, 'portal.log'), 'utf8')));
});
