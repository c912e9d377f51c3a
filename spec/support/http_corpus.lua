-- http_corpus.lua: messages of every kind, right ones and wrong ones:
-- { name=, kind=, text=, opts= }.
local corpus = {}

local function add(kind, name, text, opts)
    corpus[#corpus + 1] = { name = name, kind = kind, text = text,
        opts = opts }
end

local function request(name, text, opts)
    add("request", name, text, opts)
end

local function response(name, text, opts)
    add("response", name, text, opts)
end

local chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked"
    .. "\r\n\r\n"

request("a plain GET", "GET /a?b=c HTTP/1.1\r\nHost: a.example:8080\r\n"
    .. "User-Agent: x\r\nAccept: */*\r\n\r\nGET /next")
request("values with blanks and none", "GET / HTTP/1.1\r\nHost: a\r\n"
    .. "A:\r\nB: \t \r\nC:\t c d \t\r\nD:d\r\nE:\r\n\r\n")
request("HTTP/1.0", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
request("no fields", "GET / HTTP/1.0\r\n\r\n")
request("an empty line before", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
request("CONNECT", "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\nx")
request("OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
request("an absolute target",
    "GET http://b:8/x?y HTTP/1.1\r\nHost: a\r\n\r\n")
request("a length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
    .. "Expect: 100-continue\r\n\r\nhelloGET")
request("an upgrade", "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n"
    .. "Upgrade: websocket\r\n\r\n\129\0")
request("chunks", chunked .. "5\r\nhello\r\n0000a;a=b;c=\"d\"\r\n0123456789"
    .. "\r\n0\r\n\r\nGET")
request("trailers", chunked .. "1\r\nx\r\n0\r\nA: b\r\nC:\r\n\r\nGET")
request("a trailer that must not be", chunked .. "0\r\nHost: b\r\n\r\n")
request("a bare LF behind a chunk's size", chunked .. "1\nx\r\n0\r\n\r\n")
request("a chunk longer than its size", chunked .. "1\r\nxx\r\n0\r\n\r\n")
request("a chunk without digits", chunked .. ";a\r\nx")
request("a body that is cut", "POST / HTTP/1.1\r\nHost: a\r\n"
    .. "Content-Length: 9\r\n\r\nhello")
request("a folded line", "GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n d\r\n\r\n")
request("a line folded at once", "GET / HTTP/1.1\r\nHost:\r\n a\r\n\r\n")
request("an empty folded line",
    "GET / HTTP/1.1\r\nHost: a\r\nB:\r\n \r\n\r\n")
request("a bare LF", "GET / HTTP/1.1\r\nHost: a\nB: c\r\n\r\n")
request("a bare LF at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n")
request("a bare CR", "GET / HTTP/1.1\r\nHost: a\rB: c\r\n\r\n")
request("a NUL", "GET / HTTP/1.1\r\nHost: a\r\nB: \0\r\n\r\n")
request("an empty name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n")
request("a blank before the colon",
    "GET / HTTP/1.1\r\nHost: a\r\nB : c\r\n\r\n")
request("an unknown method", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n")
request("a method of another protocol",
    "DESCRIBE / HTTP/1.1\r\nHost: a\r\n\r\n")
request("an unknown version", "GET / HTTP/2.0\r\nHost: a\r\n\r\n")
request("a blank in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n")
request("a line too long", "GET /" .. ("a"):rep(40)
    .. " HTTP/1.1\r\nHost: a\r\n\r\n", { line = 40 })
request("a line as long as may be", "GET /" .. ("a"):rep(26)
    .. " HTTP/1.1\r\nHost: a\r\n\r\n", { line = 40 })
request("a head too large", "GET / HTTP/1.1\r\nHost: a\r\nB: "
    .. ("b"):rep(40) .. "\r\n\r\n", { head = 50 })
request("a head as large as may be",
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n", { head = 27 })
request("too many fields", "GET / HTTP/1.1\r\nHost: a\r\nB: c\r\nD: e\r\n"
    .. "\r\n", { fields = 2 })
request("two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
    .. "Transfer-Encoding: chunked\r\n\r\nhello")
request("bytes of another protocol", "\22\3\1\0\165\1\0\0\161\3\3")

response("a plain 200", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP")
response("no reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n")
response("a long reason", "HTTP/1.1 404 Not here, \200\r\n"
    .. "Content-Length: 0\r\n\r\n")
response("a body that its connection ends",
    "HTTP/1.0 200 OK\r\n\r\nall of it")
response("chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    .. "3\r\nabc\r\n0\r\nA: b\r\n\r\nHTTP")
response("a 100", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
response("a 101", "HTTP/1.1 101 Switching Protocols\r\n"
    .. "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n\129\0")
response("a 304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nH")
response("a bad status", "HTTP/1.1 20 OK\r\n\r\n")
response("a control in the reason", "HTTP/1.1 200 O\1\r\n\r\n")
response("another protocol", "SSH-2.0-OpenSSH_9.2\r\n")

return corpus
