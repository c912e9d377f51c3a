local helper = require "spec.helper"
local pair = require "spec.support.pair"
local peer = require "spec.support.http_peer"
local quoll = require "quoll"

local http = quoll.http
local OK = peer.answer "ok"

-- What GET comes to when the server says text and ends.
local function told(text, opts)
    local result
    quoll.run(function()
        peer.serve({ { text } }, function(url)
            local res, err, code = http.get(url, opts)
            result = res and { res:body() } or { nil, err, code }
        end)
    end)
    return result
end

local function close_all()
    return false
end

describe("quoll.http.client.exchange", function()
    helper.gates()

    it("passes interim answers by", peer.with({
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n"
            .. "Link: x\r\n\r\n" .. OK }, function(url)
        local res = assert(http.get(url))
        assert.equal(200, res.status)
        assert.equal("ok", res:body())
    end))

    it("does not wait for answers for ever", function()
        local many = ("HTTP/1.1 100 Continue\r\n\r\n"):rep(100)
        assert.same({ nil, "too many interim answers", "EBADMSG" },
            told(many .. OK))
    end)

    it("refuses what is no answer", function()
        for text, why in pairs {
            ["hello\r\n\r\n"] = "EBADMSG", ["HTTP/2.0 200 OK\r\n\r\n"] =
            "EBADMSG", ["HTTP/1.1 20 OK\r\n\r\n"] = "EBADMSG",
            ["HTTP/1.1 200 OK\r\nX: y"] = "CLOSED", ["HTTP/1.1 2"] = "CLOSED",
            [""] = "CLOSED", ["HTTP/1.1 200 OK\r\nX y\r\n\r\n"] = "EBADMSG",
            ["HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n"
            .. "\r\nab"] = "EBADMSG",
            ["HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"] = "EBADMSG",
            ["HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"
            .. "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"] = "EBADMSG",
            ["HTTP/1.1 200 OK\r\n" .. ("x: y\r\n"):rep(101) .. "\r\n"] =
            "EBADMSG", ["HTTP/1.1 200 OK\r\nX: " .. ("y"):rep(40000)
            .. "\r\n\r\n"] = "EBADMSG",
            ["HTTP/1.1 200 OK\r\nX: \0\r\n\r\n"] = "EBADMSG",
        } do
            local result = told(text)
            assert.is_nil(result[1], text:sub(1, 60))
            assert.equal(why, result[3], text:sub(1, 60))
        end
        assert.equal("EBADMSG", told(OK, { limits = { head = 20 } })[3])
    end)

    it("waits for 100 when asked to", peer.with({
        function(conn, head)
            assert.matches("\r\nExpect: 100%-continue\r\n", head)
            conn:send "HTTP/1.1 100 Continue\r\n\r\n"
            assert.equal("body", peer.body(conn, head))
            conn:send(OK)
        end, OK }, function(url, heard)
        for i = 1, 2 do -- the second one says nothing before it has the body
            local res = assert(http.put(url, "body", { expect = i == 1
                or 0.01 }))
            assert.equal("ok", res:body())
        end
        assert.equal("body", heard[2].body)
        assert.equal(1, heard[2].conn)
    end))

    it("keeps the body when it is not wanted", peer.with({
        function(conn)
            conn:send "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n"
            assert.equal("closed", select(2, conn:receive(1)))
            return false
        end }, function(url)
        local res = assert(http.put(url, "body", { expect = true }))
        assert.equal(413, res.status)
    end))

    it("stops an upload that was answered", peer.with({
        function(conn)
            conn:send "HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno"
            conn:receive "*a"
            return false
        end }, function(url)
        local n = 0
        local res = assert(http.post(url, function()
            n = n + 1
            quoll.yield()
            return ("x"):rep(1000)
        end))
        assert.equal(413, res.status)
        assert.equal("no", res:body())
        assert.truthy(n < 1e5)
    end))

    it("has the answer of a server that has left", peer.with({
        function(conn)
            conn:send "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno"
            return false
        end }, function(url)
        local res = http.post(url, { ("x"):rep(helper.injected and 1000
            or 2 ^ 22) })
        -- The reset may also be quicker than what was said.
        assert.truthy(not res or res.status == 403)
    end))

    it("closes the connection when the body fails", peer.with({
        function(conn)
            assert.equal("closed", select(2, conn:receive(1e6)))
            return false
        end }, function(url)
        assert.same({ nil, "no more", "EIO" }, { http.post(url, function()
            return nil, "no more", "EIO"
        end) })
    end))

    it("raises what the body raises", peer.with({
        function(conn)
            conn:receive "*a"
            return false
        end }, function(url)
        local thrown = {}
        local ok, err = pcall(http.post, url, function() error(thrown) end)
        assert.is_false(ok)
        assert.equal(thrown, err)
    end))

    it("does not send a request twice on a new connection",
        peer.with({ close_all, OK }, function(url, heard)
            assert.same({ nil, "closed", "CLOSED" }, { http.get(url) })
            assert.equal(1, #heard)
        end))

    it("ends by its timeout", peer.with({
        function(conn)
            conn:send "HTTP/1.1 200 OK\r\n"
            conn:receive "*a"
            return false
        end }, function(url)
        local began = quoll.now()
        assert.same({ nil, "timeout", "TIMEOUT" },
            { http.get(url, { timeout = 0.05 }) })
        assert.truthy(quoll.now() - began < pair.PATIENCE)
    end))

    it("leaves no connection behind when it is cancelled", peer.with({
        function(conn)
            conn:send "HTTP/1.1 200 OK\r\n"
            conn:receive "*a"
            return false
        end }, function(url, heard)
        local task = quoll.spawn(http.get, url)
        while not heard[1] do
            quoll.yield()
        end
        task:cancel()
        task:wait()
        assert.equal(0, quoll.stats().keepalive.idle)
    end))
end)
