local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

local function opened(mode)
    local path = tasks.file "text"
    local file = assert(quoll.open(path, mode))
    os.remove(path)
    return file
end

describe("close", function()
    helper.gates()

    for _, mode in ipairs { "r", "rd", "r+", "w", "a+" } do
        it("of a file opened " .. mode .. " returns true, once", function()
            local file = opened(mode)
            assert.same({ true }, { file:close() })
            assert.same({ nil, "closed", "CLOSED" }, { file:close() })
            assert.same({ nil, "closed", "CLOSED" }, { file:pread(1, 0) })
        end)
    end

    it("waits for a written file while the others go on", function()
        run(function()
            local file, turns = opened "r+", 0
            quoll.spawn(function() turns = turns + 1 end)
            assert.is_true(file:close())
            assert.equal(1, turns)
        end)
    end)

    it("checks what it is called on", function()
        local file = opened "r"
        for _, bad in ipairs { false, 1, "x", {}, io.stdout } do
            local ok, err = pcall(file.close, bad or nil)
            assert.is_false(ok)
            assert.matches("bad argument 'self' to 'close'", err)
        end
        file:close()
    end)

    it("in a cancelled task closes, and raises", function()
        run(function()
            local file = opened "r+"
            local before = quoll.stats().files.live
            local task = quoll.spawn(function()
                pcall(quoll.sleep, 10)
                file:close()
            end)
            quoll.yield()
            task:cancel()
            task:wait()
            assert.equal(before - 1, quoll.stats().files.live)
            assert.same({ nil, "closed", "CLOSED" }, { file:close() })
        end)
    end)

    it("is not needed: its owner's end, the collector", function()
        run(function()
            quoll.spawn(opened, "r+"):wait()
            opened("w"):disown()
        end)
    end)
end)

describe("what close(2) says of a written file", function()
    it("reaches the script; the file is closed all the same", function()
        local path = tasks.file "text"
        finally(function() os.remove(path) end)
        local result = helper.script([[
            local inject = require "spec.support.scripted"
            local quoll = require "quoll"
            quoll.run(function()
                for _, err in ipairs { 5, 28, 122 } do
                    local file = assert(quoll.open(arg[1], "a"))
                    inject.ql_inject_fail("close", -1, 1, 1, err)
                    print(file:close())
                    inject.ql_inject_clear()
                    print(file:close())
                end
            end)
            print(quoll.stats().files.live)
        ]], { path })
        local closed = "nil\tclosed\tCLOSED\n"
        assert.equal(("nil\tPATH: input/output error\tEIO\n" .. closed
            .. "nil\tPATH: no space left on device\tENOSPC\n" .. closed
            .. "nil\tPATH: disk quota exceeded\tEDQUOT\n" .. closed
            .. "0\n"):gsub("PATH", path), result.out)
        assert.equal("", result.err)
    end)
end)
