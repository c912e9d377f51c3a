local certs = require "spec.support.certs"
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local pooled = require "spec.support.pooled"
local quoll = require "quoll"
local tls = require "spec.support.tls_pair"

-- A connection of the pool, and its other end, which has done its handshake:
-- after the client's, which `early` has used by then.
local function connect(there, ctx, opts, early)
    local peer
    local accepting = quoll.spawn(function()
        peer = there:accept()
        peer:own()
        peer:disown()
        assert(peer:starttls(opts or tls.server()))
    end)
    local conn = assert(there:connect(true, { tls = ctx }))
    local result = early and early(conn)
    accepting:wait(tls.PATIENCE)
    return conn, peer, result
end

describe("TLS in a pool", function()
    helper.gates()

    it("is taken out again as it was, tickets and all",
        pooled.with(function(there)
            local ctx = assert(quoll.tls.context {
                ca = certs.authority("ca").cert })
            local _, peer, kept = connect(there, ctx, nil, function(conn)
                return conn:setkeepalive()
            end)
            assert.is_true(kept)
            -- The tickets have come meanwhile: a session is there.
            for _ = 1, 5 do
                quoll.yield()
            end
            assert.equal(1, pooled.stats(there.address).idle)
            local conn = assert(there:connect(true, { tls = ctx }))
            assert.equal(1, conn:getreusedtimes())
            assert.equal("TLSv1.3", conn:tlsinfo().version)
            pair.deliver(peer, conn, "answer")
            assert.is_string(conn:tlssession())
            conn:settimeout(tls.PATIENCE)
            assert.equal("answer", conn:receive(6))
            pair.deliver(conn, peer, "question")
            conn:close()
            peer:close()
        end))

    it("is not shared by who asks for another name",
        pooled.with(function(there)
            local function named(name)
                return tls.client { server_name = name }
            end
            local conn, peer = connect(there, named "localhost")
            assert(conn:setkeepalive())
            local other, its = connect(there, named "127.0.0.1")
            assert.equal(0, other:getreusedtimes())
            assert.is_false(other:tlsinfo().reused)
            assert(other:setkeepalive())
            local again = assert(there:connect(true, {
                tls = named "localhost" }))
            assert.equal("localhost", again:tlsinfo().server_name)
            assert.equal(1, again:getreusedtimes())
            local plain = assert(there:connect())
            assert.equal(0, plain:getreusedtimes())
            peer:close()
            its:close()
        end))

    it("is dropped when the peer says goodbye", pooled.with(function(there)
        local ctx = tls.client()
        local conn, peer = connect(there, ctx)
        local dropped = pooled.watch "closed"
        assert(conn:setkeepalive())
        peer:close()
        dropped(1)
        local fresh, its = connect(there, ctx)
        assert.equal(0, fresh:getreusedtimes())
        its:close()
    end))
end)
