local certs = require "spec.support.certs"
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"
local tls = require "spec.support.tls_pair"

-- Passes records on as long as left.n is more than 0; then keeps them.
local function pass(from, to, left)
    while true do
        local head, body = tls.record(from)
        if not head then
            return
        end
        if left.n == 0 then
            left.held = true
            return
        end
        left.n = left.n - 1
        to:send { head, body }
    end
end

local function ended(task)
    return task:status() == "done"
end

-- Turns until a record was kept or both have done their handshakes.
local function settle(left, tasks)
    local stop = quoll.now() + tls.PATIENCE
    while not left.held and not (ended(tasks.client) and ended(tasks.server)) do
        assert(quoll.now() < stop, "the handshake stands still")
        quoll.yield()
    end
    quoll.yield()
end

-- Cancels the handshake of `who` when n records have passed; its results, and
-- what its connection says then.
local function cancelled_after(n, who, opts, server_opts)
    local conns, left = {}, { n = n }
    local near, far
    conns.client, near = pair.connect()
    far, conns.server = pair.connect()
    quoll.spawn(pass, near, far, left)
    quoll.spawn(pass, far, near, left)
    local tasks = {
        client = quoll.spawn(conns.client.starttls, conns.client, opts),
        server = quoll.spawn(conns.server.starttls, conns.server, server_opts),
    }
    settle(left, tasks)
    tasks[who]:cancel()
    local result = { tasks[who]:wait(tls.PATIENCE) }
    conns[who]:settimeout(0)
    local after = select(4, conns[who]:receive(1))
    for _, conn in pairs { near, far, conns.client, conns.server } do
        conn:close()
    end
    tasks.client:wait(tls.PATIENCE)
    tasks.server:wait(tls.PATIENCE)
    return result, after, not left.held
end

-- How many stages there were in which `who` was cancelled.
local function stages(who, opts, server_opts)
    local count, whole = 0, false
    for n = 0, 30 do
        local result, after
        quoll.run(function()
            result, after, whole = cancelled_after(n, who, opts, server_opts)
        end)
        if whole then
            break
        elseif result[1] == nil then
            assert.same({ nil, "cancelled", "CANCELLED" }, result)
            assert.equal("CLOSED", after)
            count = count + 1
        end
    end
    assert.is_true(whole)
    return count
end

describe("bindings/tls/starttls, cancelled", function()
    helper.gates()

    for _, version in ipairs { "1.2", "1.3" } do
        it("in each stage of TLS " .. version, function()
            local opts = { server_name = "localhost", timeout = tls.PATIENCE,
                context = assert(quoll.tls.context { max_version = version,
                    ca = certs.authority("ca").cert }) }
            local server = certs.issue "server"
            local server_opts = assert(quoll.tls.context { server = true,
                cert = server.cert, key = server.key, names = {} })
            assert.truthy(stages("client", opts, server_opts) >= 4)
            assert.truthy(stages("server", opts, server_opts) >= 2)
        end)
    end
end)
