-- RFC 9112 and what RFC 9110 adds, for clients: each `it` is a row of
-- docs/http.md.
local helper = require "spec.helper"
local peer = require "spec.support.http_peer"
local quoll = require "quoll"

local http = quoll.http
local OK = peer.answer "ok"

local function head(status, fields, rest)
    return "HTTP/1.1 " .. status .. "\r\n" .. fields .. "\r\n" .. (rest or "")
end

local CHUNKED = "Transfer-Encoding: chunked\r\n"

-- What reading each answer comes to, each on a connection of its own that
-- then ends: body, or nil, err.
local function reading(answers, each)
    local list = {}
    for i, answer in ipairs(answers) do
        list[i] = { answer }
    end
    return peer.with(list, function(url)
        for i = 1, #answers do
            local res, err = http.get(url)
            local body
            if res then
                body, err = res:body()
            end
            each(body, err, i, res)
        end
    end)
end

local function fails(answers)
    return reading(answers, function(body, err, i)
        assert.is_nil(body, answers[i])
        assert.is_string(err)
    end)
end

describe("requests of a client", function()
    helper.gates()

    it("a request has one Host, that of its URL without user and password",
        peer.with({ OK, OK }, function(url, heard)
            assert(http.get((url:gsub("//", "//u:p@")))):body()
            local host = url:match "//([^/]*)"
            assert.matches("\r\nHost: " .. host:gsub("%p", "%%%0") .. "\r\n",
                heard[1].head)
            local _, n = heard[1].head:lower():gsub("\r\nhost:", "")
            assert.equal(1, n)
        end))

    it("an empty path is sent as /, a fragment never", peer.with({ OK, OK },
        function(url, heard)
            assert(http.get(url)):body()
            assert(http.get(url .. "/a?b#c")):body()
            assert.matches("^GET / HTTP/1.1\r\n", heard[1].head)
            assert.matches("^GET /a%?b HTTP/1.1\r\n", heard[2].head)
        end))

    it("a proxy is asked for the absolute target", peer.with({ OK },
        function(url, heard)
            assert(http.get("http://a.example/b", { proxy = url })):body()
            assert.matches("^GET http://a.example/b HTTP/1.1\r\n",
                heard[1].head)
            assert.matches("\r\nHost: a.example\r\n", heard[1].head)
        end))

    it("a tunnel is asked for by host and port", peer.with(
        { { head("403 No", "Content-Length: 0\r\n") } }, function(url, heard)
            assert.is_nil((http.get("https://a.example/b", { proxy = url })))
            assert.matches("^CONNECT a.example:443 HTTP/1.1\r\n",
                heard[1].head)
        end))

    it("a request with a body says its length, one without does not",
        peer.with({ OK, OK, OK }, function(url, heard)
            assert(http.post(url, "abc")):body()
            assert(http.post(url, "")):body()
            assert(http.get(url)):body()
            assert.matches("\r\nContent%-Length: 3\r\n", heard[1].head)
            assert.matches("\r\nContent%-Length: 0\r\n", heard[2].head)
            assert.is_nil(heard[3].head:find "Content%-Length")
            for i = 1, 3 do
                assert.is_nil(heard[i].head:find "Transfer%-Encoding")
            end
        end))

    it("a body whose length is not known is sent in chunks, with no length",
        peer.with({ OK }, function(url, heard)
            local n = 0
            assert(http.post(url, function()
                n = n + 1
                return n < 3 and "abc" or nil
            end)):body()
            assert.matches("\r\nTransfer%-Encoding: chunked\r\n",
                heard[1].head)
            assert.is_nil(heard[1].head:find "Content%-Length")
            assert.equal("abc|abc|", heard[1].body)
        end))

    it("what would split a request is not sent", peer.with({}, function(url,
        heard)
        for _, fields in ipairs { { ["A\r\nB"] = "c" }, { ["A B"] = "c" },
            { ["A:"] = "b" }, { [""] = "c" }, { A = "a\r\nB: c" },
            { A = "a\nb" }, { A = "a\0" } } do
            assert.is_false((pcall(http.get, url, { headers = fields })))
        end
        pcall(http.get, url .. "/ HTTP/1.1\r\nA: b")
        pcall(http.request, url, { method = "GET / HTTP/1.1\r\nA: b\r\n\r\n" })
        assert.equal(0, #heard)
    end))
end)

describe("answers to a client", function()
    helper.gates()

    it("the reason is not needed", reading({ head("200", "", "ok"),
        head("200 ", "", "ok"), head("200 Fine, really", "", "ok") },
        function(body, _, _, res)
            assert.equal("ok", body)
            assert.equal(200, res.status)
        end))

    it("a folded field is refused, not unfolded", fails {
        head("200 OK", "A: b\r\n c\r\n", "ok") })

    it("a head that is malformed is refused", fails {
        head("200 OK", "A : b\r\n"), head("200 OK", "A: \0\r\n"),
        "HTTP/1.1 200 OK\nA: b\n\n", head("200 OK", "A\r\n"),
        "HTTP/2.0 200 OK\r\n\r\n", "ICY 200 OK\r\n\r\n",
        head("20 OK", ""), "\22\3\1\0\2\r\n\r\n",
        head("200 OK", "A: " .. ("b"):rep(40000) .. "\r\n") })

    it("1xx are passed over, but for 101", reading({ head("100 Continue", "")
        .. head("103 Early Hints", "Link: a\r\n") .. OK },
        function(body, _, _, res)
            assert.equal("ok", body)
            assert.equal(200, res.status)
        end))

    it("204 and 304 and what HEAD gets have no body", peer.with({
        head("204 No", ""), head("304 No", "Content-Length: 5\r\n"),
        head("200 OK", "Content-Length: 5\r\n"), OK },
        function(url, heard)
            assert.equal("", (assert(http.get(url)):body()))
            assert.equal("", (assert(http.get(url)):body()))
            assert.equal("", (assert(http.head(url)):body()))
            assert.equal("ok", (assert(http.get(url)):body()))
            assert.equal(1, heard[4].conn)
        end))

    it("a body in chunks is read, with what they may have", reading({
        head("200 OK", CHUNKED, "3\r\nabc\r\n0a;x=\"y\"\r\n0123456789\r\n"
            .. "0\r\nB: c\r\n\r\n") }, function(body, _, _, res)
            assert.equal("abc0123456789", body)
            assert.equal("c", res:trailers().b)
            assert.is_nil((res:header "b"))
        end))

    it("a body without a length lasts until the connection ends",
        reading({ head("200 OK", "", "all of it"),
            "HTTP/1.0 200 OK\r\n\r\nall of it" }, function(body)
            assert.equal("all of it", body)
        end))

    it("a body that is cut is a failure", fails {
        head("200 OK", "Content-Length: 5\r\n", "hell"),
        head("200 OK", CHUNKED, "5\r\nhell"),
        head("200 OK", CHUNKED, "5\r\nhello\r\n"),
        head("200 OK", CHUNKED, "5\r\nhello\r\n0\r\n") })

    it("a head that is cut is a failure", fails { "HTTP/1.1 200 OK\r\nA: b\r\n",
        "HTTP", "" })

    it("lengths that are none, or two, are refused", fails {
        head("200 OK", "Content-Length: x\r\n"),
        head("200 OK", "Content-Length: +2\r\n", "ok"),
        head("200 OK", "Content-Length: 2, 2\r\n", "ok"),
        head("200 OK", "Content-Length: 2\r\nContent-Length: 3\r\n", "ok"),
        head("200 OK", "Content-Length: 2\r\n" .. CHUNKED, "0\r\n\r\n"),
        head("200 OK", "Transfer-Encoding: gzip\r\n", "ok"),
        head("200 OK", "Transfer-Encoding: chunked, gzip\r\n", "ok"),
        "HTTP/1.0 200 OK\r\n" .. CHUNKED .. "\r\n0\r\n\r\n" })

    it("chunks that are malformed are a failure", fails {
        head("200 OK", CHUNKED, "x\r\n"), head("200 OK", CHUNKED, "1\nx\r\n"),
        head("200 OK", CHUNKED, "10000000000000000\r\nx"),
        head("200 OK", CHUNKED, "1\r\nxx\r\n0\r\n\r\n"),
        head("200 OK", CHUNKED, "0\r\nHost: a\r\n\r\n"),
        head("200 OK", CHUNKED, "1;" .. ("a"):rep(9999) .. "\r\nx\r\n") })
end)

describe("connections of a client", function()
    helper.gates()

    it("a connection serves the next request once the body is read", peer.with(
        { OK, OK }, function(url, heard)
            assert(http.get(url)):body()
            assert(http.get(url)):body()
            assert.equal(1, heard[2].conn)
        end))

    it("an answer with close, or of HTTP/1.0, is a connection's last",
        peer.with({ peer.answer("ok", "Connection: close"), OK,
            "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", OK },
            function(url, heard)
                for i = 1, 4 do
                    assert.equal("ok", (assert(http.get(url)):body()), i)
                end
                assert.equal(2, heard[2].conn)
                assert.equal(2, heard[3].conn)
                assert.equal(3, heard[4].conn)
            end))

    it("what follows an answer is not the next one's", peer.with(
        { OK .. peer.answer "evil", OK }, function(url, heard)
            assert.equal("ok", (assert(http.get(url)):body()))
            if helper.injected then
                return -- it comes once the connection is in use again
            end
            assert.equal("ok", (assert(http.get(url)):body()))
            assert.equal(2, heard[2].conn)
        end))

    it("POST is not sent again by itself", peer.with({ OK, function()
        return false
    end, OK }, function(url, heard)
        assert(http.get(url)):body()
        assert.is_nil((http.post(url, "x")))
        assert.equal(2, #heard)
    end))
end)
