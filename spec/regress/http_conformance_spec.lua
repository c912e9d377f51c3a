-- RFC 9112 and what RFC 9110 adds, for servers: each `it` is a row of
-- docs/http.md.
local helper = require "spec.helper"
local quoll = require "quoll"
local raw = require "spec.support.http_raw"

local CLOSE = "Host: a\r\nConnection: close\r\n\r\n"
local GET = "GET / HTTP/1.1\r\n" .. CLOSE

local function post(fields, body)
    return "POST / HTTP/1.1\r\nHost: a\r\n" .. fields .. "\r\n\r\n"
        .. (body or "")
end

local function chunked(body)
    return post("Connection: close\r\nTransfer-Encoding: chunked", body)
end

local function field(answer, name)
    for _, text in ipairs(answer.fields) do
        local found, value = text:match "^([^=]*)=(.*)$"
        if found:lower() == name then
            return value
        end
    end
end

-- The status of the only answer, after which the connection is closed.
local function only(ask, text)
    local list, seen = ask(text)
    assert.equal(1, #list, text)
    return list[1].status, #seen, list[1]
end

local function echo(req)
    local body, err = req:body()
    return body and 200 or 400, body or err
end

local function long()
    local n = 0
    return function()
        n = n + 1
        return n < 4 and "piece " .. n or nil
    end
end

local function streamed(req)
    if req.path == "/no" then
        return 204, long()
    elseif req.path == "/not" then
        return 304, long()
    end
    return 200, long()
end

describe("messages, to a server", function()
    helper.gates()

    it("an empty line before a request is skipped", raw.server(nil, nil,
        function(ask)
            assert.equal(200, (only(ask, "\r\n" .. GET)))
        end))

    it("a bare CR or LF is refused", raw.server(nil, nil, function(ask)
        assert.equal(400, (only(ask, "GET / HTTP/1.1\n" .. CLOSE)))
        assert.equal(400, (only(ask, "GET / HTTP/1.1\r\nA: b\rc\r\n" .. CLOSE)))
    end))

    it("a blank line's begin behind the start line is refused", raw.server(nil,
        nil, function(ask)
            assert.equal(400, (only(ask, "GET / HTTP/1.1\r\n A: b\r\n"
                .. CLOSE)))
        end))

    it("what is no HTTP is answered 400, and the connection is closed",
        raw.server(nil, nil, function(ask)
            assert.equal(400, (only(ask, "\22\3\1\2\0\1\0\1\252\3\3")))
            assert.equal(400, (only(ask, "SSH-2.0-x\r\n\r\n")))
        end))

    it("an answer says HTTP/1.1, to HTTP/1.0 too", raw.server(nil, nil,
        function(ask)
            local _, _, answer = only(ask, "GET / HTTP/1.0\r\n\r\n")
            assert.equal("HTTP/1.1 200 OK\r\n", answer.head:sub(1, 17))
        end))

    it("another version is answered 505", raw.server(nil, nil, function(ask)
        assert.equal(505, (only(ask, "GET / HTTP/2.0\r\n" .. CLOSE)))
    end))

    it("HTTP/1.2 is taken for HTTP/1.1", raw.server(nil, nil, function(ask)
        assert.equal(200, (only(ask, "GET / HTTP/1.2\r\n" .. CLOSE)))
        assert.equal(400, (only(ask, "GET / HTTP/1.2\r\n\r\n")))
    end))

    it("behind a CONNECT that is refused nothing is taken for a request",
        raw.server(nil, nil, function(ask)
            assert.is_true((only(ask, "CONNECT a:80 HTTP/1.1\r\n"
                .. "Host: a:80\r\n\r\n" .. GET)) >= 200)
        end))

    it("the version's name is in capitals", raw.server(nil, nil, function(ask)
        assert.equal(400, (only(ask, "GET / http/1.1\r\n" .. CLOSE)))
    end))

    it("an unknown method is answered 501", raw.server(nil, nil, function(ask)
        assert.equal(501, (only(ask, "BREW / HTTP/1.1\r\n" .. CLOSE)))
        assert.equal(501, (only(ask, ("X"):rep(99) .. " / HTTP/1.1\r\n"
            .. CLOSE)))
    end))

    it("a target too long is answered 414", raw.server(nil, nil, function(ask)
        assert.equal(414, (only(ask, "GET /" .. ("a"):rep(10000)
            .. " HTTP/1.1\r\n" .. CLOSE)))
    end))

    it("a request line of 8,000 bytes is taken", raw.server(nil, nil,
        function(ask)
            local target = "/" .. ("a"):rep(7986)
            local list, seen = ask("GET " .. target .. " HTTP/1.1\r\n"
                .. CLOSE)
            assert.equal(200, list[1].status)
            assert.equal(target, seen[1].target)
        end))

    it("a blank in the target is refused, not mended", raw.server(nil, nil,
        function(ask)
            assert.equal(400, (only(ask, "GET /a b HTTP/1.1\r\n" .. CLOSE)))
        end))

    it("a head too large, or with too many fields, is answered 431",
        raw.server(nil, nil, function(ask)
            assert.equal(431, (only(ask, "GET / HTTP/1.1\r\nA: "
                .. ("b"):rep(33000) .. "\r\n" .. CLOSE)))
            assert.equal(431, (only(ask, "GET / HTTP/1.1\r\n"
                .. ("A: b\r\n"):rep(101) .. CLOSE)))
        end))

    it("HTTP/1.1 without a Host, with two or with a bad one is refused",
        raw.server(nil, nil, function(ask)
            for _, fields in ipairs { "", "Host: a\r\nHost: a\r\n",
                "Host: a b\r\n", "Host: u@a\r\n", "Host: [::\r\n" } do
                assert.equal(400, (only(ask, "GET / HTTP/1.1\r\n" .. fields
                    .. "\r\n")))
            end
        end))

    it("an absolute target is taken, and its host instead of Host",
        raw.server(nil, nil, function(ask)
            local _, seen = ask("GET http://B.example:8/x HTTP/1.1\r\n"
                .. CLOSE)
            assert.equal("b.example", seen[1].host)
            assert.equal("/x", seen[1].path)
        end))

    it("the target * is of OPTIONS alone", raw.server(nil, nil, function(ask)
        local _, seen = ask("OPTIONS * HTTP/1.1\r\n" .. CLOSE)
        assert.equal("*", seen[1].path)
        assert.equal(400, (only(ask, "GET * HTTP/1.1\r\n" .. CLOSE)))
    end))

    it("the target of CONNECT is host and port", raw.server(nil, nil,
        function(ask)
            for _, target in ipairs { "/", "a", "http://a:1/", "*" } do
                assert.equal(400, (only(ask, "CONNECT " .. target
                    .. " HTTP/1.1\r\n" .. CLOSE)))
            end
        end))

    it("a status line has its second blank without a reason too", raw.server(
        function() return 299, "" end, nil, function(ask)
            local _, _, back = ask(GET)
            assert.equal("HTTP/1.1 299 \r\n", back:sub(1, 15))
        end))

    it("a blank before the colon is refused", raw.server(nil, nil,
        function(ask)
            assert.equal(400, (only(ask, "GET / HTTP/1.1\r\nA : b\r\n"
                .. CLOSE)))
        end))

    it("blanks around a value are not of it", raw.server(function(req)
        return "<" .. req:header "a" .. ">"
    end, nil, function(ask)
        local list = ask("GET / HTTP/1.1\r\nA: \t b c\t \r\n" .. CLOSE)
        assert.equal("<b c>", list[1].body)
    end))

    it("a folded field is refused", raw.server(nil, nil, function(ask)
        assert.equal(400, (only(ask, "GET / HTTP/1.1\r\nA: b\r\n c\r\n"
            .. CLOSE)))
    end))

    it("NUL and other controls in a value are refused", raw.server(nil, nil,
        function(ask)
            assert.equal(400, (only(ask, "GET / HTTP/1.1\r\nA: \0\r\n"
                .. CLOSE)))
            assert.equal(400, (only(ask, "GET / HTTP/1.1\r\nA: \1\r\n"
                .. CLOSE)))
        end))
end)

describe("bodies, to a server", function()
    helper.gates()

    it("a body in chunks is taken", raw.server(echo, nil, function(ask)
        local list = ask(chunked("3\r\nabc\r\n00D\r\n, and so on.."
            .. "\r\n0\r\n\r\n"))
        assert.equal("abc, and so on..", list[1].body)
    end))

    it("an unknown transfer coding is answered 501", raw.server(echo, nil,
        function(ask)
            assert.equal(501, (only(ask,
                post "Transfer-Encoding: gzip, chunked")))
        end))

    it("an encoding that does not end in chunked, or twice, is refused",
        raw.server(echo, nil, function(ask)
            for _, value in ipairs { "gzip", "chunked, gzip", "identity",
                "chunked, chunked" } do
                assert.equal(400, (only(ask, post("Transfer-Encoding: "
                    .. value))))
            end
        end))

    it("both lengths are refused, and the connection is closed",
        raw.server(echo, nil, function(ask)
            assert.equal(400, (only(ask, post("Content-Length: 5\r\n"
                .. "Transfer-Encoding: chunked", "0\r\n\r\n") .. GET)))
        end))

    it("an encoding in HTTP/1.0 is refused, and the connection is closed",
        raw.server(echo, nil, function(ask)
            assert.equal(400, (only(ask, "POST / HTTP/1.0\r\n"
                .. "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" .. GET)))
        end))

    it("a length that is none is refused, and the connection is closed",
        raw.server(echo, nil, function(ask)
            for _, value in ipairs { "x", "-1", "+1", "1, 1", "", "0x1",
                ("9"):rep(30) } do
                assert.equal(400, (only(ask, post("Content-Length: " .. value)
                    .. GET)))
            end
        end))

    it("a request without a length has no body", raw.server(echo, nil,
        function(ask)
            local list = ask("POST / HTTP/1.1\r\nHost: a\r\n\r\n" .. GET)
            assert.equal("", list[1].body)
            assert.equal(2, #list)
        end))

    it("a body that is cut is never taken for a whole one", raw.server(
        function(req, seen)
            seen.body, seen.err = req:body()
            return 400
        end, { half_open = true }, function(ask)
            for _, text in ipairs { post("Content-Length: 9", "hello"),
                chunked "5\r\nhello\r\n", chunked "5\r\nhel" } do
                local _, seen = ask(text, { cut = true })
                assert.equal(1, #seen)
                assert.is_nil(seen[1].body)
                assert.is_string(seen[1].err)
            end
        end))

    it("a chunk's size that overflows is refused", raw.server(echo, nil,
        function(ask)
            for _, size in ipairs { "ffffffffffffffff", "10000000000000000",
                "00000000000000001" } do
                assert.equal(400, (only(ask, chunked(size .. "\r\nx\r\n0\r\n"
                    .. "\r\n"))))
            end
        end))

    it("chunk extensions are ignored", raw.server(echo, nil, function(ask)
        local list = ask(chunked("1;a\r\nx\r\n1;b=c;d=\"e f\"\r\ny\r\n"
            .. "0;g\r\n\r\n"))
        assert.equal("xy", list[1].body)
    end))

    it("chunk extensions are bounded", raw.server(echo, nil, function(ask)
        assert.equal(400, (only(ask, chunked("1;" .. ("a"):rep(300)
            .. "\r\nx\r\n0\r\n\r\n"))))
    end))

    it("trailers are not mixed with the fields", raw.server(function(req)
        req:body()
        return req:trailers().b .. tostring((req:header "b"))
    end, nil, function(ask)
        local list = ask(chunked "1\r\nx\r\n0\r\nB: c\r\n\r\n")
        assert.equal("cnil", list[1].body)
    end))

    it("trailers that frame or route are refused", raw.server(echo, nil,
        function(ask)
            for _, name in ipairs { "Content-Length", "Host",
                "Transfer-Encoding", "Content-Type" } do
                assert.equal(400, (only(ask, chunked("0\r\n" .. name
                    .. ": 1\r\n\r\n"))))
            end
        end))
end)

describe("answers of a server", function()
    helper.gates()
    helper.silent()

    it("an answer to HEAD has the fields of GET's and no body", raw.server(
        function() return 200, "hello", { B = "c" } end, nil, function(ask)
            local head = ask("HEAD / HTTP/1.1\r\n" .. CLOSE,
                { methods = { "HEAD" } })
            local get = ask(GET)
            assert.equal(1, #head)
            assert.equal("5", field(head[1], "content-length"))
            assert.equal("c", field(head[1], "b"))
            assert.equal("hello", get[1].body)
        end))

    it("1xx, 204 and 304 have no body, and no Transfer-Encoding", raw.server(
        streamed, nil, function(ask)
            for _, path in ipairs { "/no", "/not" } do
                local list, _, back = ask("GET " .. path .. " HTTP/1.1\r\n"
                    .. CLOSE)
                assert.equal(1, #list)
                assert.is_nil(field(list[1], "transfer-encoding"))
                assert.equal("\r\n\r\n", back:sub(-4))
                if path == "/no" then
                    assert.is_nil(field(list[1], "content-length"))
                end
            end
        end))

    it("an answer whose length is not known comes in chunks, with no length",
        raw.server(streamed, nil, function(ask)
            local list = ask(GET)
            assert.equal("chunked", field(list[1], "transfer-encoding"))
            assert.is_nil(field(list[1], "content-length"))
            assert.equal("piece 1piece 2piece 3", list[1].body)
        end))

    it("HTTP/1.0 gets no chunks, but the connection's end", raw.server(
        streamed, nil, function(ask)
            local list = ask(
                "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert.is_nil(field(list[1], "transfer-encoding"))
            assert.equal("piece 1piece 2piece 3", list[1].body)
        end))

    it("an answer that fails has no last chunk", raw.server(function()
        local n = 0
        return 200, function()
            n = n + 1
            if n > 1 then
                return nil, "failed"
            end
            return "piece"
        end
    end, { onerror = function() end }, function(ask)
        local list, _, back = ask(GET)
        assert.is_nil(back:find("0\r\n\r\n", 1, true))
        assert.equal(400, list[1].error)
    end))

    it("a value that would split the answer is not sent", raw.server(
        function(req)
            return 200, "", { B = req:header "c" .. "\r\nEvil: x" }
        end, { onerror = function() end }, function(ask)
            local list, _, back = ask("GET / HTTP/1.1\r\nC: d\r\n" .. CLOSE)
            assert.equal(500, list[1].status)
            assert.is_nil(back:find "Evil")
        end))

    it("every answer has a Date", raw.server(nil, nil, function(ask)
        for _, text in ipairs { GET, "GET / HTTP/2.0\r\n" .. CLOSE, "x\r\n" } do
            local list = ask(text)
            assert.truthy(field(list[1], "date"):find(
                "^%a%a%a, %d%d %a%a%a %d%d%d%d %d%d:%d%d:%d%d GMT$"))
        end
    end))
end)

describe("connections of a server", function()
    helper.gates()

    it("a connection of HTTP/1.1 lives on", raw.server(nil, nil, function(ask)
        assert.equal(3, #(ask(("GET / HTTP/1.1\r\nHost: a\r\n\r\n"):rep(2)
            .. GET)))
    end))

    it("a connection of HTTP/1.0 ends, unless it asks", raw.server(nil, nil,
        function(ask)
            assert.equal(1, #(ask("GET / HTTP/1.0\r\n\r\n" .. GET)))
            local list = ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
                .. GET)
            assert.equal(2, #list)
            assert.equal("keep-alive", field(list[1], "connection"):lower())
        end))

    it("answers come in the order of their requests", raw.server(function(req)
        if req.path == "/1" then
            quoll.yield()
        end
        return req.path
    end, nil, function(ask)
        local text = ""
        for i = 1, 5 do
            text = text .. "GET /" .. i .. " HTTP/1.1\r\nHost: a\r\n\r\n"
        end
        local list = ask(text .. GET)
        for i = 1, 5 do
            assert.equal("/" .. i, list[i].body)
        end
    end))

    it("a body that nobody has read is not taken for a request", raw.server(
        nil, nil, function(ask)
            local list, seen = ask(post("Content-Length: " .. #GET, GET) .. GET)
            assert.equal(2, #list)
            assert.equal(2, #seen)
            assert.equal("GET", seen[2].method)
            assert.equal(2, #(ask(post("Transfer-Encoding: chunked",
                ("%x\r\n%s\r\n0\r\n\r\n"):format(#GET, GET)) .. GET)))
        end))

    it("a body of GET or HEAD is no request either", raw.server(nil, nil,
        function(ask)
            for _, method in ipairs { "GET", "HEAD" } do
                local list, seen = ask(method .. " / HTTP/1.1\r\nHost: a\r\n"
                    .. "Content-Length: " .. #GET .. "\r\n\r\n" .. GET .. GET,
                    { methods = { method } })
                assert.equal(2, #list)
                assert.equal(2, #seen)
            end
        end))

    it("a client that leaves ends its handler", raw.server(function(_, seen)
        quoll.defer(function() seen.ended = quoll.now() end)
        quoll.sleep(helper.seconds(19))
    end, nil, function(ask)
        local list, seen = ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            { cut = true })
        assert.equal(0, #list)
        assert.is_number(seen[1].ended)
    end))

    it("close is answered with close, and ends the connection", raw.server(
        nil, nil, function(ask)
            -- Byte by byte, the second is not seen before the close.
            local _, handled, answer = only(ask, helper.injected and GET
                or GET .. GET)
            assert.equal(1, handled)
            assert.equal("close", field(answer, "connection"))
        end))

    it("an answer with close ends the connection", raw.server(function()
        return 200, "", { Connection = "close" }
    end, nil, function(ask)
        local _, handled = only(ask, "GET / HTTP/1.1\r\nHost: a\r\n\r\n" .. GET)
        assert.equal(1, handled)
    end))

    it("a connection ends by a close that loses no answer", raw.server(nil,
        nil, function(ask)
            local status = only(ask, "BREW / HTTP/1.1\r\n" .. CLOSE
                .. ("x"):rep(100000))
            assert.equal(501, status)
        end))

    it("an idle connection is closed", raw.server(nil, { idle_timeout = 0.02 },
        function(ask)
            local list = ask "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
            assert.equal(1, #list)
        end))

    it("a head that does not come in time is answered 408, or closed",
        raw.server(nil, { head_timeout = 0.02 }, function(ask)
            local list, seen = ask "GET / HTTP/1.1\r\nHos"
            assert.equal(0, #seen)
            assert.truthy(#list == 0 or list[1].status == 408)
        end))
end)

describe("expectations and upgrades, to a server", function()
    helper.gates()

    local function expecting(version, value)
        return "POST / HTTP/" .. version .. "\r\nHost: a\r\nExpect: " .. value
            .. "\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"
    end

    it("100 is sent when the body is read, and not before", raw.server(echo,
        nil, function(ask)
            local list = ask { expecting("1.1", "100-continue"):sub(1, -3),
                "hi" }
            assert.equal(100, list[1].status)
            assert.equal(200, list[2].status)
            assert.equal("hi", list[2].body)
        end))

    it("a handler that reads no body sends no 100", raw.server(nil, nil,
        function(ask)
            local list = ask(expecting("1.1", "100-continue"):sub(1, -3))
            assert.equal(200, list[1].status)
            assert.equal("close", field(list[1], "connection"))
        end))

    it("HTTP/1.0 gets no 1xx", raw.server(echo, nil, function(ask)
        local list = ask(expecting("1.0", "100-continue"))
        assert.equal(200, list[1].status)
    end))

    it("an unknown expectation is answered 417", raw.server(echo, nil,
        function(ask)
            assert.equal(417, (only(ask, expecting("1.1", "more"))))
        end))

    it("an upgrade of HTTP/1.0 is ignored", raw.server(function(req)
        local ws, status = req:websocket()
        return ws and 500 or status, ""
    end, nil, function(ask)
        local list = ask("GET / HTTP/1.0\r\nHost: a\r\nUpgrade: websocket\r\n"
            .. "Connection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
            .. "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        assert.not_equal(101, list[1].status)
        assert.truthy(list[1].status >= 400 and list[1].status < 500)
    end))

    it("an upgrade that nobody takes is ignored", raw.server(nil, nil,
        function(ask)
            local list = ask("GET / HTTP/1.1\r\nUpgrade: h2c\r\n"
                .. "Connection: upgrade\r\nHost: a\r\n\r\n" .. GET)
            assert.equal(2, #list)
            assert.equal(200, list[1].status)
        end))
end)

local function read(path)
    local file = assert(io.open(helper.root .. "/" .. path))
    local text = file:read "*a"
    file:close()
    return text
end

-- Calls each(spec, name) for the rows of the document.
local function each_row(each)
    for line in read("docs/http.md"):gmatch "[^\n]+" do
        local name, spec =
            line:match "^| [^|]+ | [^|]+ | ([^|]+) | `([^|]+)` |$"
        if name then
            each(spec, name)
        end
    end
end

describe("docs/http.md", function()
    it("names specs that there are", function()
        local count = 0
        each_row(function(spec, name)
            count = count + 1
            assert.truthy(read(spec):find('it("' .. name .. '"', 1, true),
                spec .. ": " .. name)
        end)
        assert.is_true(count > 70)
    end)

    it("has a row for each conformance spec", function()
        local rows = {}
        each_row(function(spec, name)
            rows[spec .. name] = true
        end)
        for _, spec in ipairs { "spec/regress/http_conformance_spec.lua",
            "spec/regress/http_conformance_client_spec.lua" } do
            for name in read(spec):gmatch '\n    it%("([^"]+)"' do
                assert.truthy(rows[spec .. name] or name:find "^names specs"
                    or name:find "^has a row", spec .. ": " .. name)
            end
        end
    end)
end)
