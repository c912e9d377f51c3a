local helper = require "spec.helper"
local passing = require "spec.support.passing"
local pair = require "spec.support.pair"
local quoll = require "quoll"

describe("lua/quoll/net/passing", function()
    helper.gates()

    it("sends one byte with it by default", passing.with(
        function(client, server)
            assert.equal(1, client:sendfd(0))
            local fd, data = server:receivefd()
            passing.close(fd)
            assert.equal("\0", data)
        end))

    it("knows the descriptors of listeners and files", function()
        quoll.run(function()
            local listener = quoll.listen "127.0.0.1:0"
            assert.is_number(listener:getfd())
            listener:close()
            assert.same({ nil, "closed", "CLOSED" }, { listener:getfd() })
            local path = os.tmpname()
            local file = quoll.open(path)
            assert.is_number(file:getfd())
            file:close()
            assert.equal("CLOSED", select(3, file:getfd()))
            os.remove(path)
        end)
    end)

    it("passes handles alone, not what looks like them", passing.with(
        function(client)
            pair.raises(function() client:sendfd(io.stdin) end, "'what'")
            pair.raises(function() client:sendfd(quoll.sync.event()) end,
                "'what'")
            pair.raises(function() client:sendfd { "0" } end, "'what'")
        end))

    it("passes to another process", passing.with(function(client, server)
        local child = helper.start [[
            local quoll = require "quoll"
            quoll.run(function()
                local conn = assert(quoll.connect(io.read "*l"))
                local fd, data = conn:receivefd()
                data = data .. conn:receive(5 - #data)
                local theirs = assert(quoll.adopt(fd))
                theirs:send("from the child, told: " .. data)
            end)
        ]]
        local path = "unix:" .. os.tmpname() .. ".fd"
        local listener = assert(quoll.listen(path))
        child:write(path .. "\n")
        local conn = assert(listener:accept(pair.PATIENCE))
        conn:sendfd(client, "greet")
        assert.equal("from the child, told: greet", server:receive(27))
        assert.equal(0, helper.finish_script(child).code)
        os.remove(path:sub(6, -4))
    end))
end)
