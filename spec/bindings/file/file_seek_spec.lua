local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"

describe("bindings/file/file_seek", function()
    helper.gates()

    it("has one position for reading and writing", function()
        local path = tasks.file("0123456789")
        finally(function() os.remove(path) end)
        tasks.run(function()
            local file = assert(quoll.open(path, "r+"))
            assert.equal("012", file:read(3))
            assert.equal(3, file:seek())
            file:write("xy")
            assert.equal(5, file:seek())
            assert.equal(4, file:seek("cur", -1))
            assert.equal("y5", file:read(2))
            assert.equal(12, file:seek("end", 2))
            file:write("z")
            assert.equal(0, file:seek("set"))
            assert.equal("012xy56789\0\0z", file:read "*a")
            assert.equal(13, file:seek())
        end)
    end)

    it("refuses a place before the start and stays", function()
        local path = tasks.file("0123456789")
        finally(function() os.remove(path) end)
        tasks.run(function()
            local file = assert(quoll.open(path, "r+"))
            file:read(3)
            assert.same({ nil, path .. ": invalid argument", "EINVAL" },
                { file:seek("cur", -4) })
            assert.equal("3", (file:read(1)))
        end)
    end)
end)
