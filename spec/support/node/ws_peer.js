// ws_peer.js client URL | server: node's `ws` as the other end. A client says
// what it sees as lines of JSON; a server prints its port and echoes.
'use strict';
const WebSocket = require('ws');

const say = (value) => console.log(JSON.stringify(value));

function client(url) {
  const ws = new WebSocket(url, ['chat', 'other'], {
    perMessageDeflate: process.argv[4] === 'deflate' ? { threshold: 0 } : false,
  });
  const messages = [
    'text', '', '\u20ac'.repeat(5000), Buffer.from([0, 255, 254]),
    Buffer.alloc(200000, 'b'),
  ];
  let received = 0;
  ws.on('open', () => {
    say({ protocol: ws.protocol, extensions: ws.extensions });
    for (const message of messages) {
      ws.send(message);
    }
    ws.send('frag', { fin: false });
    ws.ping('are you there');
    ws.send('ments', { fin: true });
  });
  ws.on('pong', (data) => say({ pong: data.toString() }));
  ws.on('message', (data, binary) => {
    const sent = messages[received];
    const same = sent === undefined ? data.toString() === 'fragments'
      : data.equals(Buffer.from(sent));
    say({ same, binary });
    received += 1;
    if (received === messages.length + 1) {
      ws.close(4001, 'done');
    }
  });
  ws.on('close', (code, reason) => say({ code, reason: reason.toString() }));
  ws.on('error', (err) => say({ error: err.message }));
}

function server() {
  const wss = new WebSocket.Server({
    port: 0, host: '127.0.0.1', perMessageDeflate: { threshold: 0 },
    handleProtocols: () => 'chat',
  }, () => say({ port: wss.address().port }));
  wss.on('connection', (ws) => {
    ws.on('message', (data, binary) => ws.send(data, { binary }));
    ws.on('close', (code, reason) => say({ code, reason: reason.toString() }));
    ws.on('pong', () => ws.send('ponged'));
    ws.ping('from node');
  });
}

if (process.argv[2] === 'client') {
  client(process.argv[3]);
} else {
  server();
}
