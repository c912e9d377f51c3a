local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local core = require "quoll.core"
local run = tasks.run
local path = helper.root .. "/LICENSE"

describe("a handle", function()
    helper.gates()

    it("closes once; then it gives an error", function()
        local file = assert(quoll.open(path))
        assert.is_true(file:close())
        assert.same({ nil, "closed", "CLOSED" }, { file:close() })
        assert.same({ nil, "closed", "CLOSED" }, { file:size() })
        assert.same({ nil, "closed", "CLOSED" }, { file:read(1) })
        assert.same({ nil, "closed", "CLOSED" }, { file:pread(1, 0) })
        assert.same({ nil, "closed", "CLOSED" }, { file:seek("set", 0) })
    end)

    it("has a text", function()
        local file = assert(quoll.open(path))
        assert.matches("^file %(open%): 0x%x+$", tostring(file))
        file:close()
        assert.matches("^file %(closed%): 0x%x+$", tostring(file))
    end)

    it("is closed by the collector", function()
        local live = quoll.stats().files.live
        assert(quoll.open(path))
        assert.equal(live + 1, quoll.stats().files.live)
        collectgarbage()
        collectgarbage()
        assert.equal(live, quoll.stats().files.live)
    end)

    it("that is dropped is closed before its task ends", function()
        run(function()
            for _ = 1, 3 do
                assert(quoll.open(path))
            end
            collectgarbage()
            collectgarbage()
            assert.equal(0, quoll.stats().files.live)
        end)
    end)

    it("disowned outlives its task", function()
        run(function()
            local file
            quoll.spawn(function()
                file = assert(quoll.open(path))
                assert.equal(file, file:disown())
            end):wait()
            assert.equal("MIT", file:pread(3, 0))
            assert.is_true(file:close())
        end)
    end)

    it("owned by another task is closed when that one ends", function()
        run(function()
            local file
            quoll.spawn(function()
                file = assert(quoll.open(path))
                quoll.spawn(function()
                    assert.equal(file, file:own())
                end):wait()
                assert.same({ nil, "closed", "OWNER_ENDED" },
                    { file:size() })
            end):wait()
            file = assert(quoll.open(path))
            local owner = quoll.spawn(quoll.sleep, 10)
            assert.equal(file, core.task_own(file, owner))
            owner:cancel()
            owner:wait()
            assert.same({ nil, "closed", "OWNER_ENDED" }, { file:size() })
        end)
    end)

    it("given to a task that has ended is closed", function()
        local file = assert(quoll.open(path))
        local owner = quoll.spawn(function() end)
        owner:wait()
        core.task_own(file, owner)
        assert.same({ nil, "closed", "OWNER_ENDED" }, { file:read() })
    end)

    it("closed has no owner any more", function()
        local file = assert(quoll.open(path))
        file:close()
        assert.equal(file, file:disown())
        local refused = "^[^\n]*handle_spec.lua:%d+: bad argument 'self' to "
            .. "'own' %(an open file expected, got one that "
        assert.matches(refused .. "is closed%)$",
            select(2, pcall(file.own, file)))
        run(function()
            quoll.spawn(function() file = quoll.open(path) end):wait()
            assert.matches(refused .. "was closed as its owner ended%)$",
                select(2, pcall(file.own, file)))
        end)
    end)

    it("is not mistaken for something else", function()
        local file = assert(quoll.open(path))
        local task = quoll.spawn(function() end)
        for _, method in ipairs { "close", "own", "disown", "read", "pread",
            "size", "seek" } do
            for _, value in ipairs { 1, "x", {}, io.stdout, task,
                newproxy(true) } do
                local ok, err = pcall(file[method], value,
                    method == "seek" and "set" or 1, 1)
                assert.is_false(ok)
                assert.matches("bad argument 'self' to '" .. method .. "'",
                    err)
            end
            assert.is_false(pcall(file[method]))
        end
        assert.is_false(pcall(task.wait, file))
        file:close()
    end)

    it("keeps its metatable to itself", function()
        local file = assert(quoll.open(path))
        assert.equal("file", getmetatable(file))
        assert.is_false(pcall(setmetatable, file, {}))
        file:close()
    end)

    it("is closed by a close elsewhere; its waiter is told", function()
        local big = tasks.file(("x"):rep(200000))
        finally(function() os.remove(big) end)
        run(function()
            local file = assert(quoll.open(big, "rd"))
            local reader = quoll.spawn(function()
                return file:pread(100000, 1)
            end)
            tasks.settle()
            file:close()
            assert.same({ nil, "closed", "CLOSED" }, { reader:wait() })
        end)
    end)
end)

describe("the handles of a task", function()
    helper.gates()

    it("are closed newest first", function()
        local order = {}
        run(function()
            quoll.spawn(function()
                for i = 1, 3 do
                    local file = assert(quoll.open(path, "rd"))
                    quoll.spawn(function()
                        local _, _, code = file:pread(1, 0)
                        order[#order + 1] = i .. " " .. tostring(code)
                    end):detach()
                end
                tasks.settle()
            end)
        end)
        assert.same({ "3 OWNER_ENDED", "2 OWNER_ENDED", "1 OWNER_ENDED" },
            order)
    end)
end)
