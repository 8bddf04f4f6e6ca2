import { createHash } from 'node:crypto';

/**
 * The page of the admin API: listeners, clusters, zones and endpoints, read again every two seconds.
 * One document without anything from elsewhere; names from the registry are only ever set as text.
 */

const STYLE = `
:root{color-scheme:light dark;--line:#8884;--good:#2a8a4a;--bad:#c0392b;--dim:#888}
body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem}
h1{font-size:1.3rem;margin:0}h2{font-size:1.05rem;margin:2rem 0 .3rem}
#state{color:var(--dim)}.ready{color:var(--good)}.draining,.starting,.bad{color:var(--bad)}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.2rem .8rem .2rem 0;border-bottom:1px solid var(--line);white-space:nowrap}
th{font-weight:600;color:var(--dim)}td.n,th.n{text-align:right}
.bar{display:flex;height:.6rem;border-radius:.3rem;overflow:hidden;background:var(--line);margin:.3rem 0}
.bar span{display:block}.scroll{overflow-x:auto}p.facts{margin:.1rem 0;color:var(--dim)}
nav a{margin-right:1rem}
`;

const SCRIPT = `
const el=(tag,text,cls)=>{const e=document.createElement(tag);if(text!==undefined)e.textContent=text;if(cls)e.className=cls;return e};
const number=(v,unit)=>v===null||v===undefined?'–':(typeof v==='number'&&!Number.isInteger(v)?v.toFixed(1):String(v))+(unit||'');
function table(columns,rows){const t=el('table'),head=el('tr');for(const[name,n]of columns)head.append(el('th',name,n?'n':''));t.append(head);
for(const row of rows){const r=el('tr');row.forEach((cell,i)=>r.append(cell instanceof Node?cell:el('td',cell,columns[i][1]?'n':'')));t.append(r)}
const box=el('div',undefined,'scroll');box.append(t);return box}
const colours=['#3b82c4','#e0912f','#7a5fc0','#3fa37a','#b85c7a','#8a8a3a'];
function bar(zones){const total=zones.reduce((s,z)=>s+z.attempts,0);const b=el('div',undefined,'bar');if(!total)return b;
zones.forEach((z,i)=>{const s=el('span');s.style.width=100*z.attempts/total+'%';s.style.background=colours[i%colours.length];s.title=(z.zone||'no zone')+' '+(100*z.attempts/total).toFixed(1)+' %';b.append(s)});return b}
function cluster(c){const box=el('section');box.append(el('h2',c.name+' · '+c.direction));
const facts=[c.usable+' of '+c.members+' usable',c.policy,'zones '+c.zoneRule,c.inFlight+' in flight',c.requests+' requests',c.failures+' failed',c.retries+' retries ('+c.retriesDenied+' denied)',c.ejections+' ejections','p50 '+number(c.p50Ms,' ms'),'p99 '+number(c.p99Ms,' ms')];
if(c.resolver){facts.push(c.resolver.source+', '+(c.resolver.ageMs===null?'no answer yet':Math.round(c.resolver.ageMs/1000)+' s old'));if(c.resolver.fromSnapshot)facts.push('from disk')}
box.append(el('p',facts.join(' · '),'facts'));
if(c.panic)box.append(el('p','panic: too few are usable, health is ignored','bad'));
if(c.resolver&&c.resolver.quarantine)box.append(el('p','removals held back: '+c.resolver.quarantine,'bad'));
if(c.resolver&&c.resolver.lastError)box.append(el('p',c.resolver.lastError,'bad'));
if(c.zones.length>1){box.append(bar(c.zones));const total=c.zones.reduce((s,z)=>s+z.attempts,0)||1;
box.append(el('p',c.zones.map(z=>(z.zone||'no zone')+(z.local?' (own)':'')+' '+(100*z.attempts/total).toFixed(1)+' %').join(' · '),'facts'))}
box.append(table([['endpoint'],['zone'],['weight',1],['state'],['active',1],['attempts',1],['failed',1],['ejections',1],['connections',1]],
c.endpoints.map(e=>{const left=e.state==='ejected'?' '+Math.ceil(e.ejectedForMs/1000)+' s':'';
return[e.address+':'+e.port,e.zone||'–',number(e.weight),el('td',e.state+left,e.state==='usable'?'ready':'bad'),number(e.active),number(e.attempts),number(e.failures),number(e.ejections),(e.connections.active+e.connections.idle)+' ('+e.connections.idle+' idle)']})));return box}
async function load(){const state=document.getElementById('state');try{
const view=await(await fetch('/clusters',{cache:'no-store'})).json();
document.title=view.service+' · Outrigger';document.getElementById('name').textContent=view.service;
state.replaceChildren(el('span',view.state,view.state),' · zone '+(view.zone||'unknown')+' · configuration '+view.generation+' · up '+Math.round(view.uptimeMs/1000)+' s');
const main=document.getElementById('main');main.replaceChildren(el('h2','Listeners'),
table([['name'],['address'],['connections',1],['accepted',1],['refused',1]],view.listeners.map(l=>[l.name,l.address+':'+l.port,number(l.connections),number(l.accepted),number(l.refused)])),
...view.clusters.map(cluster));
}catch(error){state.replaceChildren(el('span','not reachable','bad'))}}
load();setInterval(load,2000);
`;

export const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Outrigger</title><style>${STYLE}</style></head>
<body><h1 id="name">Outrigger</h1><p id="state">loading</p>
<nav><a href="/clusters">clusters</a><a href="/config">config</a><a href="/traces">traces</a><a href="/metrics">metrics</a><a href="/readyz">ready</a></nav>
<main id="main"></main><script>${SCRIPT}</script></body></html>
`;

/** Content-Security-Policy of the page: its own style and script, its own origin, nothing else. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src '${hash(STYLE)}'`,
  `script-src '${hash(SCRIPT)}'`,
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

function hash(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
