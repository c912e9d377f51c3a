local helper = require "spec.helper"
local pair = require "spec.support.pair"
local peer = require "spec.support.http_peer"
local quoll = require "quoll"
local zlib = require "zlib"

local http = quoll.http
local OK = peer.answer "ok"

local function gzip(text)
    return (zlib.deflate(nil, 31)(text, "finish"))
end

local function head(...)
    return "HTTP/1.1 200 OK\r\n" .. table.concat({ ... }, "\r\n") .. "\r\n\r\n"
end

local CHUNKED = "Transfer-Encoding: chunked"

describe("quoll.http.client.response", function()
    helper.gates()

    it("has what the head says", peer.with({
        "HTTP/1.1 404 Not Found\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 0\r\n"
            .. "\r\n" }, function(url)
        local res = assert(http.get(url .. "/b#c"))
        assert.equal(404, res.status)
        assert.equal("Not Found", res.reason)
        assert.equal("1.1", res.version)
        assert.equal(url .. "/b#c", res.url)
        assert.equal("1, 2", res.headers["x-a"])
        assert.equal("1", res:header "X-a")
        assert.same({ "1", "2" }, res:header_values "x-A")
        assert.is_nil(res:header "y")
        assert.equal("", res:body())
        assert.matches("^http response: 404 http://", tostring(res))
    end))

    it("reads bodies of every kind, and uses connections again", peer.with({
        OK, head(CHUNKED) .. "1\r\na\r\n2;x=y\r\nbc\r\n0\r\nT: u\r\n\r\n",
        "HTTP/1.1 204 No\r\n\r\n", "HTTP/1.1 304 No\r\nContent-Length: 9\r\n"
        .. "\r\n", head "Content-Length: 5", head "Connection: close"
        .. "", OK }, function(url, heard)
        local bodies = { "ok", "abc", "", "" }
        for _, body in ipairs(bodies) do
            local res = assert(http.get(url))
            assert.equal(body, res:body())
            assert.equal(body, res:body())
            assert.equal(body == "abc" and "u" or nil, res:trailers().t)
        end
        assert.equal("", assert(http.head(url)):body())
        local res = assert(http.get(url, { timeout = 0.1 }))
        assert.same({ nil, "timeout", "TIMEOUT" }, { res:body() })
        assert.equal("ok", assert(http.get(url)):body())
        assert.same({ 1, 1, 1, 1, 1, 1, 2 }, { heard[1].conn, heard[2].conn,
            heard[3].conn, heard[4].conn, heard[5].conn, heard[6].conn,
            heard[7].conn })
    end))

    it("reads up to the end, of HTTP/1.0 too", peer.with({
        { "HTTP/1.0 200 OK\r\n\r\nabc" }, { head "X: y" .. "abc" },
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n"
        .. "\r\na", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nb", OK },
        function(url, heard)
            for _, body in ipairs { "abc", "abc", "a", "b", "ok" } do
                assert.equal(body, assert(http.get(url)):body())
            end
            assert.equal(3, heard[4].conn)
            assert.equal(4, heard[5].conn)
        end))

    it("says that a body was cut", function()
        for text, code in pairs {
            [head "Content-Length: 5" .. "abc"] = "CLOSED",
            [head(CHUNKED) .. "5\r\nabc"] = "CLOSED",
            [head(CHUNKED) .. "3\r\nabc\r\n"] = "CLOSED",
            [head(CHUNKED) .. "3\r\nabc\r\n0\r\n"] = "CLOSED",
            [head(CHUNKED) .. "x\r\nabc"] = "EBADMSG",
            [head(CHUNKED) .. "3\r\nabcd\r\n0\r\n\r\n"] = "EBADMSG",
            [head(CHUNKED) .. "fffffffffffffffff\r\nabc"] = "EBADMSG",
            [head("Content-Encoding: gzip", "Content-Length: 10")
            .. gzip("abc"):sub(1, 10)] = "EBADMSG",
        } do
            quoll.run(function()
                peer.serve({ { text }, { text } }, function(url)
                    local res = assert(http.get(url))
                    assert.equal(code, select(3, res:body()), text)
                    assert.equal(code, select(3, res:body()), text)
                    local other = assert(http.get(url))
                    assert.is_false(pcall(function()
                        for _ in other:chunks() do end
                    end))
                    assert.equal(0, quoll.stats().keepalive.idle)
                end)
            end)
        end
    end)

    it("gives pieces as they come", peer.with({ head(CHUNKED)
        .. "5\r\nabcde\r\n2\r\nfg\r\n0\r\n\r\n", OK }, function(url, heard)
        local pieces = {}
        for piece in assert(http.get(url)):chunks(3) do
            pieces[#pieces + 1] = piece
        end
        assert.equal("abcdefg", table.concat(pieces))
        assert.truthy(#pieces >= 3)
        assert.equal("ok", assert(http.get(url)):body())
        assert.equal(1, heard[2].conn)
        local res = assert(http.get(url))
        for _, bad in ipairs { 0, 1.5, "x" } do
            pair.raises(function() res:chunks(bad) end, "init_spec.*bad "
                .. "argument 'n' to 'chunks'")
        end
        res:close()
    end))

    it("closes what nobody reads", peer.with({ OK, OK, OK },
        function(url, heard)
            local res = assert(http.get(url))
            assert.is_true(res:close())
            assert.same({ nil, "closed", "CLOSED" }, { res:body() })
            assert(http.get(url))
            collectgarbage()
            collectgarbage()
            assert.equal("ok", assert(http.get(url)):body())
            assert.equal(3, heard[3].conn)
        end))

    it("keeps no connection on which more came than was asked for",
        peer.with({ OK .. "HTTP/1.1 200 OK\r\n\r\nevil", OK },
            function(url, heard)
                if helper.injected then
                    return -- it comes a byte at a time, and too late
                end
                assert.equal("ok", assert(http.get(url)):body())
                assert.equal("ok", assert(http.get(url)):body())
                assert.equal(2, heard[2].conn)
            end))

    it("is bounded", peer.with({ OK, OK, peer.answer(gzip(("\0"):rep(2 ^ 22)),
        "Content-Encoding: gzip"), OK }, function(url)
        assert.same({ nil, "body too large", "EMSGSIZE" },
            { assert(http.get(url)):body(1) })
        assert.same({ nil, "body too large", "EMSGSIZE" },
            { assert(http.get(url, { max = 1 })):body() })
        assert.same({ nil, "body too large", "EMSGSIZE" },
            { assert(http.get(url)):body(2 ^ 20) })
        pair.raises(function() assert(http.get(url)):body(-1) end,
            "bad argument 'max' to 'body'")
    end))

    it("decodes what was compressed", peer.with({
        peer.answer(gzip "hello", "Content-Encoding: gzip"),
        peer.answer(gzip "hello", "Content-Encoding: gzip"),
        peer.answer("hello", "Content-Encoding: br") },
        function(url, heard)
            assert.equal("hello", assert(http.get(url)):body())
            assert.equal(gzip "hello", assert(http.get(url,
                { decompress = false })):body())
            assert.equal("hello", assert(http.get(url)):body())
            assert.matches("\r\nAccept%-Encoding: gzip, deflate\r\n",
                heard[1].head)
            assert.is_nil(heard[2].head:find "Accept%-Encoding")
        end))

    it("is JSON", peer.with({ peer.answer '{"a":[1,null]}',
        peer.answer "{a}", peer.answer "" }, function(url)
        local value = assert(http.get(url)):json()
        assert.equal(1, value.a[1])
        assert.equal(require("cjson").null, value.a[2])
        for _ = 1, 2 do
            local bad, err, code = assert(http.get(url)):json()
            assert.is_nil(bad)
            assert.matches("^invalid json", err)
            assert.equal("EBADMSG", code)
        end
    end))

    it("has a deadline for all of it", peer.with({ function(conn)
        conn:send(head "Content-Length: 1000")
        while conn:send "x" do -- each in time
            quoll.sleep(0.005)
        end
        return false
    end }, function(url)
        local res = assert(http.get(url, { deadline = 0.05 }))
        assert.same({ nil, "timeout", "TIMEOUT" }, { res:body() })
    end))

    it("keeps no connection that speaks something else", peer.with({
        "HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", OK },
        function(url, heard)
            assert.equal("", assert(http.get(url)):body())
            assert.equal("ok", assert(http.get(url)):body())
            assert.equal(2, heard[2].conn)
        end))

    it("hands the connection over", peer.with({ function(conn)
        conn:send "HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n"
        conn:send "hello\n"
        conn:send(conn:receive "*l")
        return false
    end }, function(url)
        local res = assert(http.get(url, { headers = { Upgrade = "x",
            Connection = "Upgrade" } }))
        assert.equal(101, res.status)
        local conn = assert(res:hijack())
        conn:settimeout(peer.PATIENCE)
        assert.equal("hello", conn:receive "*l")
        assert(conn:send "bye\n")
        assert.equal("bye", conn:receive "*a")
        conn:close()
        assert.equal("closed", select(2, res:hijack()))
    end))
end)
