-- network.lua: scripts in a network of their own, which the kernel takes away
-- with them: a network namespace in which lo is up and nothing else is.
--
--   network.run(source[, opts])   as helper.script; the script has
--       quoll, PATIENCE
--       main(fn)         quoll.run(fn), which must leave nothing, and another
--                        task beside it that goes on
--       sh(command)      as root of that network: ip, tc, echo >/proc/sys/net
--       fill([rule])     the one rule of nftables for the packets that arrive
--       show(...)        prints its arguments, a tab between them
--       code(...)        its last argument
--       connected([address[, opts]])   client, server
--       port(address)
--   network.it            `it`, or pending where there can be none
local scripts = require "spec.support.scripts"
local shell = require "spec.support.shell"

local network = {}

local PRELUDE = [==[
    local ffi = require "ffi"
    ffi.cdef "int unshare(int flags);"
    assert(ffi.C.unshare(0x40000000) == 0) -- CLONE_NEWNET
    local function sh(command)
        assert(os.execute(("{ %s; } >&2"):format(command)) == 0, command)
    end
    local CHAIN = "ip t c"
    local function fill(text)
        sh("nft flush chain " .. CHAIN)
        if text then
            sh(("nft 'add rule %s %s'"):format(CHAIN, text))
        end
    end
    sh "ip link set lo up"
    sh("nft 'add table ip t; add chain ip t c "
        .. "{ type filter hook input priority 0; }'")
    local quoll = require "quoll"
    local PATIENCE = 5 * (tonumber(os.getenv "QUOLL_TEST_PATIENCE") or 1)
    local function show(...)
        local all = { ... }
        for i = 1, select("#", ...) do
            all[i] = tostring(all[i])
        end
        io.write(table.concat(all, "\t"), "\n")
    end
    local function code(...)
        return (select(select("#", ...), ...))
    end
    local function connected(address, opts)
        local listener = assert(quoll.listen(address or "127.0.0.1:0"))
        local client = assert(quoll.connect(listener:address(), opts))
        local server = assert(listener:accept(PATIENCE))
        listener:close()
        client:settimeout(PATIENCE)
        server:settimeout(PATIENCE)
        return client, server
    end
    local function port(address)
        return address:match ":(%d+)$"
    end
    local rounds = 0
    local function main(fn)
        quoll.run(function()
            local other = quoll.spawn(function()
                while true do
                    rounds = rounds + 1
                    quoll.sleep(0.005)
                end
            end)
            local start = quoll.now()
            fn()
            local fewest = (quoll.now() - start) / 0.1
            quoll.sleep(0.02)
            assert(rounds > fewest, "the loop stood still")
            other:cancel()
            other:wait()
        end)
        local stats = quoll.stats()
        require("quoll.core").keepalive.drop()
        assert(stats.connections.live == 0, "connections are left")
        assert(stats.loop.timers == 0, "timers are left")
        assert(stats.alerts == 0, "ALERT")
    end
]==]

-- Why there can be no network of our own; nil: there can.
local function missing()
    if shell.output "id -u" ~= "0\n" then
        return "not root"
    end
    local said = shell.output("unshare -n sh -c 'ip link set lo up && "
        .. "nft add table ip t && nft list tables' 2>&1")
    if said ~= "table ip t\n" then
        return "no network namespace: " .. said
    end
end

local lack = missing()

network.it = function(name, fn)
    local busted = require "busted"
    if lack then
        busted.pending(name .. " (" .. lack .. ")")
    else
        busted.it(name, fn)
    end
end

-- What the script printed; it must have ended well.
function network.run(source, opts)
    local result = scripts.run(PRELUDE .. source, nil, opts)
    assert(result.code == 0 and not result.timeout,
        result.out .. result.err)
    return result.out
end

return network
