local helper = require "spec.helper"
local http = require "spec.support.http"
local quoll = require "quoll"

local GET = "GET /%s HTTP/1.1\nHost: a\n\n"

local function path(req)
    return req.path
end

describe("bindings/http/step", function()
    helper.gates()

    it("takes a head that comes byte by byte", http.with(path, nil,
        function(connect)
            local c = connect()
            c.conn:setoption("tcp-nodelay", true)
            for byte in GET:format("slowly"):gmatch "." do
                c:say(byte)
                quoll.sleep(0)
            end
            assert.equal("/slowly", c:hear().body)
        end))

    it("refuses what is malformed or too long, and closes", http.with(path,
        { line = 64, head = 256, fields = 3 }, function(connect)
            local refused = quoll.http.stats().refused
            local long = ("x"):rep(300)
            for status, text in pairs {
                [400] = "GET / HTTP/1.1\nHost : a\n\n",
                [414] = GET:format(long),
                [431] = "GET / HTTP/1.1\nHost: a\nA: " .. long .. "\n\n",
                [505] = "GET / HTTP/3.0\nHost: a\n\n",
                [501] = "POST / HTTP/1.1\nHost: a\n"
                    .. "Transfer-Encoding: gzip, chunked\n\n",
            } do
                local c = connect()
                c:say(text)
                local answer = c:hear()
                assert.equal(status, answer.status)
                assert.truthy(answer.head:find("Connection: close", 1, true))
                assert.equal("", c:ended())
            end
            assert.equal(refused + 5, quoll.http.stats().refused)
        end))

    it("answers what came before a malformed request", http.with(path, nil,
        function(connect)
            local c = connect()
            c:say(GET:format "good" .. "bad\n\n" .. GET:format "never")
            assert.equal("/good", c:hear().body)
            assert.equal(400, c:hear().status)
            assert.equal("", c:ended())
        end))

    it("answers a malformed request behind a long answer", http.with(
        function() return ("x"):rep(100000) end, nil, function(connect)
            local c = connect()
            c:say(GET:format "long" .. "bad\n\n")
            assert.equal(("x"):rep(100000), c:hear().body)
            assert.equal(400, c:hear().status)
            assert.equal("", c:ended())
        end))

    it("says 408 for half a head, and nothing for none", http.with(path,
        { head_timeout = 0.05, idle_timeout = 0.05 }, function(connect)
            if helper.injected then
                pending("one byte is all that the system takes at once")
                return
            end
            local half, none = connect(), connect()
            half:say "GET / HTTP/1.1\n"
            assert.equal(408, half:hear().status)
            assert.equal("", half:ended())
            assert.equal("", none:ended())
        end))

    it("is not kept waiting by a client that says a byte now and then",
        http.with(path, { head_timeout = 0.1 }, function(connect)
            if helper.injected then
                pending("one byte is all that the system takes at once")
                return
            end
            local c = connect()
            local began = quoll.now()
            c.conn:settimeout(0.01)
            local answer
            repeat
                c:say "G"
                answer = c.conn:receive(12)
            until answer or quoll.now() - began > helper.seconds(5)
            assert.equal("HTTP/1.1 408", answer)
        end))

    it("ends idle connections when quoll stops, answers others", function()
        quoll.run(function()
            local listener = assert(quoll.listen "127.0.0.1:0")
            local address = listener:address()
            local asked = quoll.sync.event()
            local server = quoll.spawn(quoll.http.serve, listener, function()
                asked:set()
                quoll.sleep(0.01)
                return "late"
            end)
            local idle = quoll.connect(address)
            local busy = quoll.connect(address)
            busy:send "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
            asked:wait(http.PATIENCE)
            quoll.stop()
            local answer = busy:receive "*a"
            assert.truthy(answer:find("Connection: close", 1, true))
            assert.equal("late", answer:sub(-4))
            assert.equal("", idle:receive "*a")
            server:wait()
        end)
    end)

    it("drops the rest of a short body, and closes on a long one", http.with(
        path, nil, function(connect)
            local c = connect()
            c:say("POST /a HTTP/1.1\nHost: a\nContent-Length: 5\n\n12345"
                .. GET:format "b")
            assert.equal("/a", c:hear().body)
            assert.equal("/b", c:hear().body)
            c:say "POST /c HTTP/1.1\nHost: a\nContent-Length: 1000000\n\n1"
            local last = c:hear()
            assert.equal("/c", last.body)
            assert.truthy(last.head:find("Connection: close", 1, true))
            c.conn:close()
            c = connect()
            c:say("POST /d HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n"
                .. "3\nabc\n0\n\n" .. GET:format "e")
            assert.equal("/d", c:hear().body)
            assert.equal("/e", c:hear().body)
        end))
end)
