local certs = require "spec.support.certs"
local context = require "quoll.tls.context"
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local pooled = require "spec.support.pooled"
local quoll = require "quoll"
local tls = require "spec.support.tls_pair"

describe("bindings/tls/starttls", function()
    helper.gates()

    it("encrypts what both ends send", tls.with(function(client, server)
        assert.equal(6, client:send "hello\n")
        assert.equal("hello", server:receive())
        assert(server:send { "a", { 1, "b" }, "\n" })
        assert.equal("a1b", client:receive())
        client:close()
        assert.same({ nil, "closed", "", "CLOSED" }, { server:receive() })
    end))

    it("refuses to begin while somebody reads or writes", function()
        quoll.run(function()
            local client, server = pair.connect()
            local reader = quoll.spawn(client.receive, client, 1)
            quoll.yield()
            local _, err, code = client:starttls(tls.client())
            assert.same({ "busy reading", "BUSY" }, { err, code })
            server:send "x"
            assert.equal("x", reader:wait(pair.PATIENCE))
        end)
    end)

    it("is busy while it lasts, and ends with the connection", function()
        quoll.run(function()
            local client = pair.connect()
            local shaking = quoll.spawn(client.starttls, client, tls.client())
            -- the context is read and made first
            local err
            for _ = 1, 1e6 do
                err = select(2, client:send "")
                if err == "busy writing" then
                    break
                end
                quoll.yield()
            end
            assert.equal("busy writing", err)
            assert.equal("BUSY", select(4, client:receive(1)))
            assert.equal("BUSY", select(3, client:shutdown "send"))
            client:close()
            assert.same({ nil, "closed", "CLOSED" },
                { shaking:wait(pair.PATIENCE) })
        end)
    end)

    it("takes no bytes that came before", function()
        quoll.run(function()
            local client, server = pair.connect()
            client:send "STARTTLS\r\nRSET\r\n"
            assert.equal("STARTTLS", server:receive())
            local _, err, code = server:starttls(tls.server())
            if helper.injected then -- the rest is still in the kernel
                assert.equal("WRONG_VERSION_NUMBER", code)
            else
                assert.same({ "unread bytes", "UNREAD" }, { err, code })
            end
            assert.equal("CLOSED", select(4, server:receive()))
        end)
    end)

    it("has a deadline, and closes", function()
        quoll.run(function()
            local client, server = pair.connect()
            assert.same({ nil, "timeout", "TIMEOUT" },
                { client:starttls(tls.client { timeout = 0.02 }) })
            assert.equal("CLOSED", select(4, client:receive()))
            server:close()
        end)
    end)

    it("can be cancelled", function()
        quoll.run(function()
            local client, server = pair.connect()
            local ctx = assert(quoll.tls.context {
                ca = certs.authority("ca").cert })
            local shaking = quoll.spawn(client.starttls, client,
                { context = ctx, server_name = "localhost" })
            quoll.yield()
            quoll.yield()
            shaking:cancel()
            assert.same({ nil, "cancelled", "CANCELLED" },
                { shaking:wait(pair.PATIENCE) })
            assert.equal("CLOSED", select(4, client:receive()))
            server:close()
        end)
    end)

    it("is on a connection once: again is harmless", tls.with(
        function(client, server)
            assert.is_true(client:starttls(tls.client()))
            local again = { nil, "operation already in progress", "EALREADY" }
            for name, value in pairs { server_name = "127.0.0.1",
                verify = false, alpn = { "h2" } } do
                assert.same(again,
                    { client:starttls(tls.client { [name] = value }) })
            end
            assert(client:send "hello")
            assert.equal("hello", server:receive(5))
        end))

    it("knows a context that was read again, and one of equal options",
        tls.with(function(client)
            local function same()
                return client:starttls(tls.client())
            end
            for i = 1, 40 do -- more than are kept
                local opts = tls.client { min_version = "1.2",
                    ciphers = "ECDHE-RSA-AES128-GCM-SHA256"
                        .. (":ECDHE-RSA-AES256-GCM-SHA384"):rep(i) }
                opts.server_name, opts.timeout = nil, nil
                assert(context.shared(opts, "test"))
            end
            assert.is_true(same())
            local opts = tls.client()
            opts.server_name, opts.timeout = nil, nil
            local ctx = assert(quoll.tls.context(opts))
            local own = { context = ctx, server_name = "localhost" }
            assert.is_true(client:starttls(own))
            assert.is_true(ctx:reload())
            assert.is_true(client:starttls(own))
            opts.keylog = function() end
            own.context = assert(quoll.tls.context(opts))
            assert.equal("EALREADY", select(3, client:starttls(own)))
        end))

    it("knows its own context again when that was read again", function()
        quoll.run(function()
            local ctx = assert(quoll.tls.context {
                ca = certs.authority("ca").cert, keylog = function() end })
            local own = { context = ctx, server_name = "localhost" }
            local client = tls.connect(own)
            assert.is_true(ctx:reload())
            assert.is_true(client:starttls(own))
        end)
    end)

    it("is on what comes out of a pool", pooled.with(function(there)
        local peer
        for i = 0, 1 do
            local conn = there:connect("secure")
            assert.equal(i, conn:getreusedtimes())
            peer = peer or there:accept()
            if i == 0 then
                assert(tls.shake(conn, peer)[1])
            end
            assert.is_true(conn:starttls(tls.client()))
            assert(peer:send "x")
            assert.equal("x", conn:receive(1))
            assert(conn:setkeepalive())
        end
    end))

    it("meets a reset, garbage and plain HTTP", function()
        quoll.run(function()
            for sent, expected in pairs {
                ["\22\3\1\0\5hello"] = "UNEXPECTED_MESSAGE",
                ["GET / HTTP/1.1\r\n\r\n"] = "HTTP_REQUEST",
                [("\0"):rep(64)] = "WRONG_VERSION_NUMBER",
                [false] = "ECONNRESET",
            } do
                local client, server = pair.connect()
                if sent then
                    client:send(sent)
                else
                    pair.reset(client)
                end
                local ok, _, code = server:starttls(tls.server())
                assert.is_nil(ok)
                assert.equal(expected, code)
                client:close()
            end
        end)
    end)

    it("chooses a certificate by the name asked for", function()
        local names = { ["a.example"] = certs.issue("a", {
            san = "DNS:a.example" }), ["*.b.example"] = certs.issue("b", {
            san = "DNS:*.b.example" }) }
        local server = tls.server { names = names }
        for name, cert in pairs(names) do
            names[name] = { cert = cert.cert, key = cert.key }
        end
        local function shown(name)
            local info
            quoll.run(function()
                local client = tls.connect(tls.client { server_name = name },
                    server)
                info = client:tlsinfo()
            end)
            return info.peer.subject
        end
        assert.equal("CN=a", shown "a.example")
        assert.equal("CN=b", shown "x.b.example")
        assert.equal("CN=server", shown "localhost")
        local asked
        server.names = function(name)
            asked = name
            quoll.sleep(0)
        end
        assert.equal("CN=server", shown "localhost")
        assert.equal("localhost", asked)
    end)
end)
