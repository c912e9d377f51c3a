local helper = require "spec.helper"
local message = require "quoll.http.client.message"
local pair = require "spec.support.pair"

describe("quoll.http.client.message", function()
    helper.gates()

    it("reads one after the other", pair.with(function(client, server)
        server:send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"
            .. "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: u\r\n\r\n"
            .. "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
        assert.equal(100, message.receive(client, "GET").status)
        assert.equal(200, message.receive(client, "GET").status)
        local first = message.read(client, 2)
        assert.truthy(#first <= 2)
        local rest = {}
        for piece in function() return message.read(client) end do
            rest[#rest + 1] = piece
        end
        assert.equal("abc", first .. table.concat(rest))
        local again, trailers = message.release(client)
        -- More has come than was asked for, unless it is yet to come.
        assert.equal(helper.injected, again)
        assert.equal("u", trailers.t)
        assert.equal(200, message.receive(client, "HEAD").status)
        assert.is_nil((message.read(client)))
        assert.is_true(message.release(client))
    end))

    it("leaves what is behind the head", pair.with(function(client, server)
        server:send "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhello"
        assert.equal(200, message.receive(client, "CONNECT").status)
        assert.is_true(message.leave(client))
        assert.equal("hello", client:receive(5))
    end))

    it("goes on after a timeout", pair.with(function(client, server)
        client:settimeout(0)
        server:send "HTTP/1.1 200 O"
        assert(client:peek(1) or true)
        repeat
            local _, err, code = message.receive(client, "GET")
            assert.same({ "timeout", "TIMEOUT" }, { err, code })
        until true
        client:settimeout(pair.PATIENCE)
        server:send "K\r\nContent-Length: 0\r\n\r\n"
        assert.equal("OK", message.receive(client, "GET").reason)
    end))

    it("is limited", pair.with(function(client, server)
        server:send "HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\n"
        local answer, err, code = message.receive(client, "GET",
            { fields = 1 })
        assert.is_nil(answer)
        assert.matches("^bad response: ", err)
        assert.equal("EBADMSG", code)
    end))
end)
