local helper = require "spec.helper"
local pair = require "spec.support.pair"
local quoll = require "quoll"

describe("bindings/core/gather", function()
    helper.gates()

    it("sends 63, 64 and 65 pieces alike", pair.with(function(client, server)
        for n = 63, 65 do
            local list = {}
            for i = 1, n do
                list[i] = i % 2 == 0 and i or "p" .. i .. ","
            end
            local expected = table.concat(list)
            assert.equal(#expected, client:send(list))
            assert.equal(expected, server:receive(#expected))
        end
    end))

    it("sends large pieces from where they are, small ones copied",
        pair.with(function(client, server)
            for _, case in ipairs { { 3, 50000 }, { 200, 2000 }, { 5000, 40 } }
            do
                local list, expected = {}, {}
                for i = 1, case[1] do
                    local piece = string.char(65 + i % 26):rep(case[2])
                    list[i] = { piece, i }
                    expected[i] = piece .. i
                end
                expected = table.concat(expected)
                local writer = quoll.spawn(function()
                    return client:send { list, "" }
                end)
                quoll.yield()
                list = nil
                collectgarbage()
                assert.is_nil(list)
                assert.is_true(server:receive(#expected) == expected)
                assert.equal(#expected, writer:wait(pair.PATIENCE))
            end
        end))

    it("writes numbers as Lua does", pair.with(function(client, server)
        local list = { -1, 0.1, 1e300, 2 ^ 53, -1 / 0, 1e-10, 123456789012 }
        local expected = table.concat(list, ",")
        for i = #list, 2, -1 do
            table.insert(list, i, ",")
        end
        client:send(list)
        assert.equal(expected, server:receive(#expected))
    end))

    it("goes 100 tables deep, not further", pair.with(function(client, server)
        local nested = { "x" }
        for _ = 2, 100 do
            nested = { nested }
        end
        assert.equal(1, client:send(nested))
        assert.equal("x", server:receive(1))
        assert.error_matches(function()
            client:send { nested }
        end, "nested more than 100 deep")
    end))

    -- In a small heap of its own: there a collection fits between two looks.
    it("meets a finaliser that changes the table meanwhile", function()
        local run = helper.script [[
            local quoll = require "quoll"
            collectgarbage("setstepmul", 1e6)
            local function doomed_list()
                local list = {}
                for i = 1, 65 do
                    list[i] = "x"
                end
                getmetatable(newproxy(true)).__gc = function()
                    list[1] = ("y"):rep(20000)
                end
                return list
            end
            quoll.run(function()
                local listener = quoll.listen "127.0.0.1:0"
                local client = quoll.connect(listener:address())
                local server = listener:accept()
                for _ = 1, 1000 do
                    collectgarbage()
                    collectgarbage "stop"
                    local list = doomed_list()
                    collectgarbage "restart" -- at an allocation soon
                    local ok, result = pcall(client.send, client, list)
                    if not ok then
                        return print(result)
                    end
                    assert(#server:receive(result) == result)
                end
            end)
        ]]
        assert.matches("the table to send has changed", run.out)
        assert.same({ "", 0 }, { run.err, run.code })
    end)

    it("sends nothing of a table that has something else in it",
        pair.with(function(client, server)
            assert.error_matches(function()
                client:send { "a", { "b", false } }
            end, "got boolean at index 2")
            client:send("c")
            assert.equal("c", server:receive(1))
        end))

    it("sends nothing of a table with other keys or with holes",
        pair.with(function(client, server)
            for _, data in ipairs { { name = "x" }, { "a", n = 1 },
                { "a", { [3] = "c" } }, { [0] = "a" } } do
                assert.error_matches(function() client:send(data) end,
                    "bad argument 'data' to 'send' %(an array expected, got a "
                        .. "table with other keys or with holes%)")
            end
            client:send { {}, "c", {} }
            assert.equal("c", server:receive(1))
        end))

    it("leaves a file as it was then", function()
        local path = os.tmpname()
        quoll.fs.writefile(path, "as it was")
        assert.has_error(function()
            quoll.fs.writefile(path, { name = "x" })
        end)
        assert.equal("as it was", quoll.fs.readfile(path))
        os.remove(path)
    end)
end)
