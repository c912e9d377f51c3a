// The same answers from node's own http.
const http = require("http");

function json(req, res) {
    let text = "";
    req.setEncoding("utf8");
    req.on("data", (piece) => { text += piece; });
    req.on("end", () => {
        const body = JSON.stringify(JSON.parse(text));
        res.writeHead(200, {
            "Content-Type": "application/json",
            "Content-Length": Buffer.byteLength(body),
        });
        res.end(body);
    });
}

const server = http.createServer((req, res) => {
    if (req.url === "/json") {
        return json(req, res);
    }
    res.writeHead(200, {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": 13,
    });
    res.end("Hello, world!");
});
server.keepAliveTimeout = 0;
server.listen(0, "127.0.0.1", () => {
    console.log("listening on 127.0.0.1:" + server.address().port);
});
