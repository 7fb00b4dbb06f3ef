// Consoles made of Apache with mod_auth_mellon and with the Shibboleth SP, out of packages that were unpacked and
// not installed: programs, modules and schemas are taken from there, or from the system where it has them.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { certificates, freePort, ready, request, start, stop } = require('./lib.cjs');

// As root, Apache would give its rights up only to somebody who could then not read what is here.
const nobody = process.getuid() === 0 ? { uid: 65534, gid: 65534 } : {};
const variables = {
  mellon: { subject: 'MELLON_NAME_ID', xAccountId: 'MELLON_xAccountId', name: 'MELLON_name', email: 'MELLON_email', issuer: 'MELLON_IDP' },
  shibboleth: { subject: 'persistent-id', xAccountId: 'xAccountId', name: 'name', email: 'email', issuer: 'Shib-Identity-Provider' },
};

// page shows what a console was told, one variable a line.
const page = (kind) => `<!doctype html><meta charset="utf-8"><title>${kind}</title><pre>
${Object.entries(variables[kind]).map(([k, v]) => `${k}=<!--#echo encoding="entity" var="${v}" -->`).join('\n')}
</pre>
`;

// told reads such a page.
function told(answer) {
  const out = {};
  for (const m of (/<pre>\n([\s\S]*?)\n<\/pre>/.exec(answer.body)?.[1] ?? '').matchAll(/^(\w+)=(.*)$/gm)) out[m[1]] = m[2] === '(none)' ? undefined : m[2];
  return out;
}

// until waits for what becomes true soon, as long as the program it is of lives.
async function until(what, yes, child) {
  for (let i = 0; i < 400; i++) {
    if (child && child.exitCode !== null) break;
    if (yes()) return;
    await new Promise((r) => setTimeout(r, 50));
  }
  throw new Error(`never: ${what}`);
}

class Apache {
  constructor(work) {
    this.work = work;
    this.root = path.join(work, 'root');
    const libraries = fs.readdirSync(path.join(this.root, 'usr/lib')).filter((d) => d.includes('-linux-')).map((d) => path.join(this.root, 'usr/lib', d));
    const schemas = ['xmltooling/catalog.xml', 'opensaml/saml20-catalog.xml', 'opensaml/saml11-catalog.xml', 'shibboleth/catalog.xml'].map((f) => this.catalog(f));
    this.env = { LD_LIBRARY_PATH: [path.join(this.root, 'usr/lib'), ...libraries].join(':'), LANG: 'C.UTF-8', SHIBSP_SCHEMAS: schemas.join(':'),
      SHIBSP_LIBDIR: libraries[0], SHIBSP_CFGDIR: path.dirname(this.folder('shibboleth')), SHIBSP_RUNDIR: this.folder('run'), SHIBSP_CACHEDIR: this.folder('cache'),
      SHIBSP_LOGDIR: this.folder('log'), SHIBSP_CONFIG: path.join(work, 'shibboleth/shibboleth2.xml'),
      SHIBSP_LOGGING: path.join(work, 'shibboleth/shibd.logger') };
  }

  // found is a file of the packages: unpacked, or of the system.
  found(name) {
    const mine = path.join(this.root, name);
    return fs.existsSync(mine) ? mine : `/${name}`;
  }

  folder(name) {
    const p = path.join(this.work, name);
    fs.mkdirSync(p, { recursive: true });
    if (nobody.uid) fs.chownSync(p, nobody.uid, nobody.gid);
    return p;
  }

  write(name, text) {
    const p = path.join(this.work, name);
    fs.writeFileSync(p, text);
    if (nobody.uid) fs.chownSync(p, nobody.uid, nobody.gid);
    return p;
  }

  // catalog is a list of schemas whose addresses are those of the unpacked files.
  catalog(name) {
    const text = fs.readFileSync(this.found(`usr/share/xml/${name}`), 'utf8').replace(/uri="\/(usr\/share\/xml\/[^"]+)"/g, (all, file) => `uri="${this.found(file)}"`);
    this.folder('schemas');
    return this.write(`schemas/${name.replace('/', '-')}`, text);
  }

  // start begins both consoles. idp is the address of the portal's metadata, keys the name of a key pair in certs/.
  async start(idp, keys) {
    this.idp = idp;
    this.names = { mellon: keys, shibboleth: keys };
    this.ports = { mellon: await freePort(), shibboleth: await freePort() };
    for (const kind of Object.keys(variables)) {
      this.folder(`www/${kind}`);
      this.write(`www/${kind}/index.shtml`, page(kind));
      this.write(`www/${kind}/left.html`, '<!doctype html><title>left</title><p>left</p>');
    }
    for (const f of ['log', 'run', 'cache']) this.folder(f);
    this.write('peer.log', '');
    await this.fetch();
    this.configureShibboleth();
    this.configureApache();
    await this.startShibd();
    this.httpd = start(this.found('usr/sbin/apache2'), ['-D', 'FOREGROUND', '-d', this.work, '-f', path.join(this.work, 'httpd.conf')], this.env, path.join(this.work, 'peer.log'), nobody);
    for (const kind of Object.keys(variables)) await ready(this.metadata(kind), this.httpd);
  }

  // fetch reads the portal's metadata into the file that Mellon is given.
  async fetch() {
    const xml = (await request('GET', this.idp)).body;
    this.entity = /entityID="([^"]+)"/.exec(xml)[1];
    this.write('portal.xml', xml);
  }

  // again lets Apache read its settings anew.
  async again() {
    const resumed = () => this.log().split('resuming normal operations').length;
    const before = resumed();
    this.httpd.kill('SIGUSR1');
    await until('Apache begins anew', () => resumed() > before);
  }

  log() { return fs.readFileSync(path.join(this.work, 'peer.log'), 'utf8'); }

  base(kind) { return `http://127.0.0.1:${this.ports[kind]}`; }

  metadata(kind) { return this.base(kind) + (kind === 'mellon' ? '/mellon/metadata' : '/Shibboleth.sso/Metadata'); }

  async startShibd() {
    fs.rmSync(path.join(this.work, 'run/shibd.sock'), { force: true });
    this.shibd = start(this.found('usr/sbin/shibd'), ['-F', '-f', '-w', '30', '-p', path.join(this.work, 'run/shibd.pid')], this.env, path.join(this.work, 'peer.log'), nobody);
    await until('shibd starts', () => fs.existsSync(path.join(this.work, 'run/shibd.sock')), this.shibd);
  }

  configureApache() {
    const modules = { mpm_event: 0, authn_core: 0, authz_core: 0, authz_user: 0, auth_basic: 0, mime: 0, dir: 0, include: 0, setenvif: 0, env: 0, auth_mellon: 'auth_mellon_module', shib: 'mod_shib' };
    const load = Object.entries(modules).map(([m, name]) => `LoadModule ${name || `${m}_module`} ${this.found(`usr/lib/apache2/modules/mod_${m}.so`)}`);
    const at = (n) => path.join(this.work, n);
    this.write('httpd.conf', `${load.join('\n')}
PidFile ${at('run/httpd.pid')}
DefaultRuntimeDir ${at('run')}
Mutex file:${at('run')}
ErrorLog ${at('peer.log')}
LogLevel warn auth_mellon:info
StartServers 1
ServerLimit 2
ThreadsPerChild 8
MaxRequestWorkers 16
ServerName 127.0.0.1
UseCanonicalName On
ShibCompatValidUser On
TypesConfig ${this.write('mime.types', 'text/html shtml\n')}
AddOutputFilter INCLUDES .shtml
DirectoryIndex index.shtml
<Directory ${at('www')}>
  Options +Includes
  Require all granted
</Directory>
Listen ${this.base('mellon').slice(7)}
<VirtualHost ${this.base('mellon').slice(7)}>
  ServerName ${this.base('mellon')}
  DocumentRoot ${at('www/mellon')}
  <Location />
    AuthType Mellon
    Require valid-user
    MellonEnable "auth"
    MellonEndpointPath "/mellon"
    MellonSPPrivateKeyFile ${at(`certs/${this.names.mellon}.key`)}
    MellonSPCertFile ${at(`certs/${this.names.mellon}.crt`)}
    MellonIdPMetadataFile ${at('portal.xml')}
    MellonSignatureMethod rsa-sha256
    MellonSecureCookie On
    MellonIdP "IDP"
  </Location>
  <LocationMatch ^/(mellon|left)>
    MellonEnable "off"
    Require all granted
  </LocationMatch>
</VirtualHost>
Listen ${this.base('shibboleth').slice(7)}
<VirtualHost ${this.base('shibboleth').slice(7)}>
  ServerName ${this.base('shibboleth')}
  DocumentRoot ${at('www/shibboleth')}
  <Location />
    AuthType shibboleth
    ShibRequestSetting requireSession true
    Require shib-session
  </Location>
  <Location /Shibboleth.sso>
    AuthType None
    Require all granted
    SetHandler shib
  </Location>
  <Location /left.html>
    ShibRequestSetting requireSession false
    Require all granted
  </Location>
</VirtualHost>
`);
  }

  configureShibboleth() {
    const at = (n) => path.join(this.work, n);
    for (const f of ['security-policy.xml', 'protocols.xml', 'attribute-policy.xml', 'sessionError.html', 'metadataError.html', 'bindingTemplate.html', 'postTemplate.html',
      'localLogout.html', 'globalLogout.html', 'partialLogout.html']) this.write(`shibboleth/${f}`, fs.readFileSync(this.found(`etc/shibboleth/${f}`)));
    const basic = 'urn:oasis:names:tc:SAML:2.0:attrname-format:basic';
    this.write('shibboleth/attribute-map.xml', `<Attributes xmlns="urn:mace:shibboleth:2.0:attribute-map" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
${['xAccountId', 'xUserId', 'name', 'email'].map((n) => `  <Attribute name="${n}" id="${n}" nameFormat="${basic}"/>`).join('\n')}
  <Attribute name="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" id="persistent-id"><AttributeDecoder xsi:type="NameIDAttributeDecoder" formatter="$Name"/></Attribute>
</Attributes>
`);
    for (const who of ['shibd', 'native']) this.write(`shibboleth/${who}.logger`, `log4j.rootCategory=WARN, console
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=${who} %p %c: %m%n
`);
    this.write('shibboleth/shibboleth2.xml', `<SPConfig xmlns="urn:mace:shibboleth:3.0:native:sp:config" clockSkew="180">
  <OutOfProcess logger="shibd.logger"/>
  <InProcess logger="native.logger"><ISAPI/></InProcess>
  <UnixListener address="${at('run/shibd.sock')}"/>
  <RequestMapper type="Native"><RequestMap/></RequestMapper>
  <ApplicationDefaults entityID="${this.base('shibboleth')}/shibboleth" signing="true" encryption="false" REMOTE_USER="persistent-id">
    <Sessions lifetime="28800" timeout="3600" relayState="ss:mem" checkAddress="false" handlerSSL="false" cookieProps="http" redirectLimit="exact">
      <SSO entityID="${this.entity}">SAML2</SSO>
      <Logout>SAML2 Local</Logout>
      <Handler type="MetadataGenerator" Location="/Metadata" signing="false"/>
    </Sessions>
    <Errors supportContact="root@localhost"/>
    <MetadataProvider type="XML" validate="true" url="${this.idp}" backingFilePath="${at('cache/portal.xml')}" minRefreshDelay="1" maxRefreshDelay="1"/>
    <AttributeExtractor type="XML" validate="true" reloadChanges="false" path="attribute-map.xml"/>
    <AttributeFilter type="XML" validate="true" path="attribute-policy.xml"/>
    <CredentialResolver type="File" key="${at(`certs/${this.names.shibboleth}.key`)}" certificate="${at(`certs/${this.names.shibboleth}.crt`)}"/>
  </ApplicationDefaults>
  <SecurityPolicyProvider type="XML" validate="true" path="security-policy.xml"/>
  <ProtocolProvider type="XML" validate="true" reloadChanges="false" path="protocols.xml"/>
</SPConfig>
`);
  }
}

// Mellon and Shibboleth are the two consoles as the trial sees them.
class Mellon {
  constructor(apache) { Object.assign(this, { apache, kind: 'mellon', base: apache.base('mellon'), metadata: apache.metadata('mellon') }); }

  // learn reads the portal's metadata: the server looks at the file when it is told to begin anew.
  async learn() {
    await this.apache.fetch();
    await this.apache.again();
  }

  async keys(name) {
    this.apache.names.mellon = name;
    this.apache.configureApache();
    await this.apache.again();
  }

  leaves() { return `${this.base}/mellon/logout?ReturnTo=${encodeURIComponent(`${this.base}/left.html`)}`; }
}

class Shibboleth {
  constructor(apache) { Object.assign(this, { apache, kind: 'shibboleth', base: apache.base('shibboleth'), metadata: apache.metadata('shibboleth') }); }

  // learn waits for its next look at the portal's metadata, which comes every second.
  async learn() {
    const now = certificates((await request('GET', this.apache.idp)).body, 'signing').join();
    await until('the Shibboleth SP reads the metadata', () => certificates(fs.readFileSync(path.join(this.apache.work, 'cache/portal.xml'), 'utf8'), 'signing').join() === now);
    await new Promise((r) => setTimeout(r, 500)); // the file is written before it is in force
  }

  async keys(name) {
    this.apache.names.shibboleth = name;
    this.apache.configureShibboleth();
    await stop(this.apache.shibd);
    await this.apache.startShibd();
    await this.apache.again();
  }

  leaves() { return `${this.base}/Shibboleth.sso/Logout?return=${encodeURIComponent(`${this.base}/left.html`)}`; }
}

module.exports = { Apache, Mellon, Shibboleth, told };
