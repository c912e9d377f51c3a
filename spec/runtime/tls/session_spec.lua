local certs = require "spec.support.certs"
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local tls = require "spec.support.tls_pair"

-- One connection; whether it was resumed, at both ends, and its session.
local function reused(client_opts, server_opts)
    local client, server = tls.connect(client_opts, server_opts)
    server:send "x"
    client:receive(1)
    local both = client:tlsinfo().reused
    assert.equal(both, server:tlsinfo().reused)
    local session = client:tlssession()
    client:close()
    server:close()
    return both, session
end

local function twice(client, server)
    local first, second
    quoll.run(function()
        first, second = reused(client, server), reused(client, server)
    end)
    return first, second
end

local function context(opts)
    opts.timeout, opts.server_name = nil, nil
    return assert(quoll.tls.context(opts))
end

describe("runtime/tls/session", function()
    helper.gates()

    it("is resumed in either version", function()
        for _, version in ipairs { "1.2", "1.3" } do
            local client = tls.client { context = nil, max_version = version }
            local server = context(tls.server { max_version = version })
            assert.same({ false, true }, { twice(client, server) })
        end
    end)

    it("is the context's and the name's", function()
        local server = context(tls.server())
        local one = context(tls.client())
        local function to(name)
            return { context = one, server_name = name }
        end
        assert.same({ false, true }, { twice(to "localhost", server) })
        assert.same({ false, true }, { twice(to "127.0.0.1", server) })
        local other = context(tls.client { groups = "P-256" })
        assert.is_false((twice({ context = other,
            server_name = "localhost" }, server)))
    end)

    it("can be taken and given", function()
        quoll.run(function()
            local server = context(tls.server())
            local client = tls.client { alpn = { "taken" } }
            local _, session = reused(client, server)
            assert.equal("string", type(session))
            local again = tls.client { session = session, groups = "X25519",
                alpn = { "taken" } }
            assert.is_true((reused(again, server)))
            again.session = "no session"
            again.groups = "P-384"
            assert.is_false((reused(again, server)))
        end)
    end)

    it("is shared by servers with one ticket key", function()
        local key = ("k"):rep(80)
        quoll.run(function()
            local client = context(tls.client())
            local opts = { context = client, server_name = "localhost" }
            assert.is_false((reused(opts, context(tls.server {
                ticket_key = key }))))
            assert.is_true((reused(opts, context(tls.server {
                ticket_key = key }))))
            assert.is_false((reused(opts, context(tls.server()))))
        end)
    end)

    it("keeps 256 names", function()
        local client = context(tls.client { verify = false })
        local server = context(tls.server())
        quoll.run(function()
            local function to(i)
                return { context = client, server_name = "n" .. i }
            end
            assert.is_false((reused(to(0), server)))
            assert.is_true((reused(to(0), server)))
            for i = 1, helper.injected and 2 or 256 do
                reused(to(i), server)
            end
            assert.equal(helper.injected, (reused(to(0), server)))
        end)
    end)

    it("of a client with a certificate is none of another's", function()
        local server = { verify_client = "require",
            ca = certs.authority("ca").cert, ticket_key = ("k"):rep(80) }
        local one = certs.issue("client", { san = "DNS:client" })
        local client = context(tls.client { cert = one.cert, key = one.key })
        local opts = { context = client, server_name = "localhost" }
        quoll.run(function()
            assert.is_false((reused(opts, context(tls.server(server)))))
            assert.is_true((reused(opts, context(tls.server(server)))))
            server.ca = certs.authority("otherca").cert
            local a, b = pair.connect()
            local _, theirs = tls.shake(a, b, opts, context(
                tls.server(server)))
            assert.is_nil(theirs[1])
            a:close()
        end)
    end)
end)
