local events = require "quoll.http.events"
local helper = require "spec.helper"
local http = require("quoll").http
local pair = require "spec.support.pair"
local quoll = require "quoll"
local tasks = require "spec.support.tasks"

describe("an event", function()
    it("is lines", function()
        for text, event in pairs {
            ["data: a\n\n"] = "a",
            ["data: a\ndata: b\ndata: \ndata: c\n\n"] = "a\nb\r\n\rc",
            ["event: e\nid: 1\nretry: 1500\ndata: d\n\n"] = {
                data = "d", event = "e", id = 1, retry = 1.5 },
            [": c\n: event: x\n\n"] = { comment = "c\nevent: x" },
            ["data: \n\n"] = "", ["data: 5\n\n"] = 5,
            ["id: \ndata: x\n\n"] = { id = "", data = "x" },
        } do
            assert.equal(text, events.format(event))
        end
    end)

    it("cannot be another one", function()
        for _, bad in ipairs { { event = "a\ndata: x" }, { id = "a\rb" },
            { id = "\0" }, { nope = 1 } } do
            pair.raises(function() return (events.format(bad)) end,
                "events_spec.lua:%d+: bad event")
        end
    end)
end)

describe("quoll.http.events", function()
    helper.gates()

    it("is an answer", function()
        local status, body, headers = http.events(function() end,
            { headers = { ["x-a"] = "b" }, retry = 2 })
        assert.equal(200, status)
        assert.same({ ["content-type"] = "text/event-stream", ["x-a"] = "b",
            ["cache-control"] = "no-cache" }, headers)
        assert.equal("retry: 2000\n\n", body())
        pair.raises(function() http.events() end, "'source' to 'events'")
        pair.raises(function() http.events(print, { x = 1 }) end, "no option")
    end)

    it("calls a function until it returns nil", function()
        tasks.run(function()
            local n = 0
            local _, body = http.events(function()
                n = n + 1
                quoll.yield()
                return n <= 2 and n or nil
            end)
            assert.equal("data: 1\n\n", body())
            assert.equal("data: 2\n\n", body())
            assert.is_nil(body())
        end)
    end)

    it("says that it lives while nothing comes", function()
        tasks.run(function()
            local more = quoll.sync.event()
            local _, body = http.events(function()
                more:wait()
                more:clear()
                return "x"
            end, { keepalive = 0.001 })
            assert.equal(":\n\n", body())
            more:set()
            assert.equal("data: x\n\n", body())
            assert.equal(":\n\n", body())
            body:close()
        end)
    end)

    it("takes a channel, until it is closed", function()
        tasks.run(function()
            local ch = quoll.sync.channel(2)
            local _, body = http.events(ch, { keepalive = 0.001 })
            assert.equal(":\n\n", body())
            ch:send { id = 7, data = "x" }
            assert.equal("id: 7\ndata: x\n\n", body())
            ch:close()
            assert.is_nil(body())
            body:close()
        end)
    end)

    it("takes a subscription, which may be too slow", function()
        tasks.run(function()
            local topic = quoll.sync.topic()
            local _, body = http.events(topic:subscribe(1))
            topic:publish "a"
            assert.equal("data: a\n\n", body())
            topic:publish "b"
            topic:publish "c"
            assert.equal("data: b\n\n", body())
            assert.same({ nil, "too slow", "SLOW" }, { body() })
        end)
    end)

    it("hands failures on", function()
        tasks.run(function()
            local _, body = http.events(function() return nil, "broken" end)
            assert.same({ nil, "broken" }, { body() })
            _, body = http.events(function() error "oops" end)
            assert.matches("events_spec.lua:%d+: oops", select(2, body()))
        end)
    end)

    it("cancels the function when the client leaves", function()
        tasks.run(function()
            local why
            local _, body = http.events(function()
                local _, err = pcall(quoll.sleep, 10)
                why = quoll.iscancelled(err)
                error(err, 0)
            end, { keepalive = 0.001 })
            body()
            body:close()
            tasks.settle()
            assert.equal("cancelled", why)
        end)
    end)

    it("ends when the server stops", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.run(function()
                local ch = quoll.sync.channel(2)
                ch:send "a"
                ch:send "b"
                local _, body = quoll.http.events(ch)
                io.write(body())
                quoll.stop()
                print(body())
            end)
        ]]
        assert.equal("data: a\n\nnil\n", result.out, result.err)
    end)

    it("ends at once when the server stops while it waits", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local channel, topic = quoll.sync.channel(), quoll.sync.topic()
            local function waits()
                quoll.defer(print, "deferred")
                channel:receive()
            end
            for name, source in pairs { channel = channel, waits = waits,
                subscription = topic:subscribe(1) } do
                quoll.run(function()
                    local _, body = quoll.http.events(source,
                        { keepalive = 600 })
                    local task = quoll.spawn(function() print((body())) end)
                    quoll.sleep(0)
                    quoll.stop()
                    task:wait()
                end)
            end
        ]]
        local lines = {}
        for line in result.out:gmatch "[^\n]+" do
            lines[#lines + 1] = line
        end
        table.sort(lines)
        assert.same({ "deferred", "nil", "nil", "nil" }, lines, result.err)
    end)
end)
