local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

describe("bindings/stream/send", function()
    helper.gates()

    it("goes out at once: Nagle's algorithm is off at both ends",
        pair.with(function(client, server)
            assert.is_true(client:getoption("tcp-nodelay"))
            assert.is_true(server:getoption("tcp-nodelay"))
        end))

    it("costs one setsockopt where it connects, none where it accepts",
        function()
            local run = helper.script [[
                local inject = require "spec.support.scripted"
                local pair = require "spec.support.pair"
                local quoll = require "quoll"
                quoll.run(function()
                    local listener = assert(quoll.listen("127.0.0.1:0"))
                    local address = listener:address()
                    local before = inject.ql_inject_calls("setsockopt")
                    for _ = 1, 8 do
                        local client = quoll.connect(address)
                        local server = listener:accept(pair.PATIENCE)
                        server:send("x")
                        client:receive(1)
                        assert(server:getoption("tcp-nodelay"))
                    end
                    print(inject.ql_inject_calls("setsockopt") - before)
                end)
            ]]
            assert.same({ "8ULL\n", "" }, { run.out, run.err })
        end)

    it("keeps what it sends alive while it waits",
        pair.with(function(client, server)
            local SIZE = 8 * pair.MIB
            local tasks = {
                function() return client:send(("a"):rep(SIZE)) end,
                function() return client:send { ("b"):rep(SIZE), 7, "!" } end,
                function()
                    local list = {}
                    for i = 1, 256 do
                        list[i] = ("c"):rep(SIZE / 256)
                    end
                    return client:send(list)
                end,
            }
            for i, size in ipairs { SIZE, SIZE + 2, SIZE } do
                local writer = quoll.spawn(tasks[i])
                quoll.yield()
                quoll.yield()
                collectgarbage()
                collectgarbage()
                local got = server:receive(size)
                local letter = ("abc"):sub(i, i)
                assert.equal(SIZE, select(2, got:gsub(letter, "")))
                assert.equal(size, writer:wait(pair.PATIENCE))
            end
        end))

    it("sends nothing more in a cancelled task", pair.with(function(client)
        local sent
        local writer = quoll.spawn(function()
            pcall(quoll.sleep, 60)
            sent = pcall(client.send, client, { "x", "y" })
        end)
        quoll.yield()
        writer:cancel()
        writer:wait(pair.PATIENCE)
        assert.is_false(sent)
        assert.equal(1, client:send("z"))
    end))
end)
