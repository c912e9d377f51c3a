-- Clients that never finish a head hold nobody up, and are turned away.
local helper = require "spec.helper"
local http = require "spec.support.http"
local quoll = require "quoll"

local SLOW = 200

local function answer(req)
    return req.path
end

-- So many connections, each with the beginning of a head.
local function slow(connect)
    local list = {}
    for i = 1, SLOW do
        list[i] = connect()
        list[i]:say "GET / HTTP/1.1\nHost: a\nX-Slow: "
    end
    return list
end

describe("slowloris", function()
    helper.gates()

    it("leaves others their answers", http.with(answer, nil, function(connect)
        local list = slow(connect)
        local c = connect()
        for i = 1, 20 do
            for n = i, SLOW, 20 do
                assert(list[n].conn:send "x")
            end
            c:say(("GET /%d HTTP/1.1\nHost: a\n\n"):format(i))
            assert.equal("/" .. i, c:hear().body)
        end
        -- They may still become requests.
        list[1]:say "\n\n"
        assert.equal("/", list[1]:hear().body)
    end))

    it("wakes no task for a byte", http.with(answer, nil, function(connect)
        if helper.injected then
            return -- each send waits, which wakes ours
        end
        local list = slow(connect)
        local c = connect()
        local function ask()
            c:say "GET / HTTP/1.1\nHost: a\n\n"
            c:hear()
            return quoll.stats()
        end
        local before = ask() -- by then all others are waited for
        for _, s in ipairs(list) do
            assert(s.conn:send "x")
        end
        local after = ask()
        assert.truthy(after.loop.events - before.loop.events >= SLOW)
        assert.truthy(after.tasks.resumes - before.tasks.resumes < SLOW / 4)
    end))

    it("ends with the time of a head, though bytes come", http.with(answer,
        { head_timeout = 0.2 }, function(connect)
            local began = quoll.now()
            local c = connect()
            c:say "GET / HTTP/1.1\nX-Slow: "
            local feeder = quoll.spawn(function()
                while c.conn:send "x" do
                    quoll.sleep(0.01)
                end
            end)
            -- The answer is one attempt to send.
            if helper.injected then
                local _, err = c:ended()
                assert.not_equal("timeout", err)
            else
                assert.equal(408, c:hear().status)
            end
            assert.truthy(quoll.now() - began >= 0.19)
            feeder:cancel()
            feeder:wait()
        end))
end)
