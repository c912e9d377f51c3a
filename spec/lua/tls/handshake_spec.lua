local handshake = require "quoll.tls.handshake"
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local tls = require "spec.support.tls_pair"
local quoll = require "quoll"

describe("quoll.tls.handshake", function()
    helper.gates()

    it("refuses options before anything is opened", function()
        for expected, opts in pairs {
            ["no option 'verfy'"] = { verfy = false },
            ["needs 'server_name'"] = true,
            ["a table expected, got 1"] = 1,
        } do
            pair.raises(function() handshake.check(opts, "") end, expected)
        end
        handshake.check(true, "localhost")
        handshake.check({ verify = false }, "")
        handshake.check({ server_name = "localhost" }, "")
    end)

    it("closes a connection whose context cannot be made",
        pair.with(function(client, server)
            assert.same({ nil, "/nowhere: no such file or directory",
                "ENOENT" }, { handshake.start(client, { ca = "/nowhere" },
                "localhost") })
            assert.same({ nil, "closed", "", "CLOSED" }, { server:receive() })
        end))

    it("answers who speaks HTTP without TLS, and reads what he sends",
        function()
            quoll.run(function()
                local listener = assert(quoll.listen "127.0.0.1:0")
                local server = quoll.spawn(listener.serve, listener, error,
                    { tls = tls.server() })
                for _, line in ipairs { "GET / HTTP/1.1", "POST / HTTP/1.0" } do
                    local conn = assert(quoll.connect(listener:address()))
                    conn:settimeout(pair.PATIENCE)
                    assert(conn:send { line, "\r\nHost: a\r\n",
                        "Content-Length: 20000\r\n\r\n", ("x"):rep(20000) })
                    local answer = assert(conn:receive "*a")
                    assert.matches("^HTTP/1.1 400 Bad Request\r\n.*\r\n"
                        .. "Content%-Length: 46\r\nConnection: close\r\n\r\n"
                        .. "The plain HTTP request was sent to HTTPS port\n$",
                        answer)
                    conn:close()
                end
                server:cancel()
                server:wait(pair.PATIENCE)
                listener:close()
            end)
        end)

    it("closes a server's connection that has met HTTP",
        pair.with(function(client, server)
            client:send "GET / HTTP/1.1\r\n\r\n"
            assert.equal("HTTP_REQUEST",
                select(3, server:starttls(tls.server())))
            assert.equal("CLOSED", select(3, server:getfd()))
        end))

    it("has its own time", pair.with(function(client)
        assert.same({ nil, "timeout", "TIMEOUT" }, { handshake.start(client,
            tls.client { timeout = 0.01 }, "localhost") })
        assert.equal("CLOSED", select(3, client:getfd()))
    end))
end)
