-- http2_session.lua: a session of quoll.core.http2 and a client that talks to
-- it frame by frame, both in memory.
local helper = require "spec.helper"
local http2 = require "spec.support.http2"
local quoll = require "quoll"
local raw = require "quoll.http.http2.core"

local pair = {}

-- opts: streams, head, fields, settings (of the client).
function pair.new(opts)
    opts = opts or {}
    local session = raw.new(opts.streams or 100, opts.head or 32768,
        opts.fields or 100)
    local reader = http2.reader()
    local self = { session = session }

    -- Feeds frames; what the server sends then.
    function self.say(...)
        local ok, why = raw.feed(session, table.concat { ... })
        self.ok, self.why = ok, why
        return self.hear()
    end

    function self.hear()
        local list = {}
        for bytes in function() return raw.output(session, 65536) end do
            list[#list + 1] = bytes
        end
        return reader:frames(table.concat(list))
    end

    self.first = self.say(http2.hello(opts.settings))
    return self
end

-- A body for `it`: fn(pair) in a task.
function pair.with(opts, fn)
    return function()
        quoll.run(function()
            fn(pair.new(opts))
        end)
    end
end

pair.gates = helper.gates

return pair
