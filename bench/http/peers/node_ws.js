// Sends back each message; argv[2]: the folder that ws has been unpacked to.
const { WebSocketServer } = require(process.argv[2] + "/node_modules/ws");

const server = new WebSocketServer({
    host: "127.0.0.1", port: 0, perMessageDeflate: false,
});
server.on("connection", (ws) => {
    ws.on("message", (data, binary) => ws.send(data, { binary }));
});
server.on("listening", () => {
    console.log("listening on 127.0.0.1:" + server.address().port);
});
