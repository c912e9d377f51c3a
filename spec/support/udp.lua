-- udp.lua: datagram sockets for specs; each wait of theirs ends.
local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

local udp = { PATIENCE = pair.PATIENCE }

function udp.open(opts)
    local u = assert(quoll.udp(opts))
    u:settimeout(udp.PATIENCE)
    return u
end

-- A socket with an address, and one whose peer it is.
function udp.pair(bind)
    local server = udp.open { bind = bind or "127.0.0.1:0" }
    local client = udp.open()
    assert(client:setpeername(server:getsockname()))
    return client, server
end

-- A body for `it`: fn(client, server) runs as a task.
function udp.with(fn, bind)
    return function()
        quoll.run(function()
            fn(udp.pair(bind))
        end)
    end
end

-- A peer that nobody is: its socket has been closed.
function udp.refused()
    local client, server = udp.pair()
    server:close()
    return client
end

-- What a script prints whose system calls can be scripted: `fail`, `cut` and
-- `calls` stand for the injector's functions.
function udp.printed(source)
    local result = helper.script([[
        local inject = require "spec.support.scripted"
        local udp = require "spec.support.udp"
        local quoll = require "quoll"
        local fail, cut = inject.ql_inject_fail, inject.ql_inject_cut
        local function calls(name)
            return tonumber(inject.ql_inject_calls(name))
        end
        quoll.run(function()
    ]] .. source .. " end)")
    assert(result.code == 0, result.err)
    return result.out
end

return udp
