local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local run = tasks.run

local text = ("0123456789abcdef"):rep(4096)

local function opened(mode)
    local path = tasks.file(text)
    local file = assert(quoll.open(path, mode))
    os.remove(path)
    return file
end

for mode, name in pairs { r = "cached", rd = "direct" } do
    describe("many reads at once of a " .. name .. " file", function()
        helper.gates()

        it("each get their own bytes, round after round", function()
            run(function()
                local file = opened(mode)
                for _ = 1, 3 do
                    local list = {}
                    for i = 1, 100 do
                        list[i] = quoll.spawn(function()
                            return file:pread(i, i * 7)
                        end)
                    end
                    for i, task in ipairs(list) do
                        assert.equal(text:sub(i * 7 + 1, i * 8), task:wait())
                    end
                end
            end)
        end)

        it("are ended by a close, and the next file's are not", function()
            run(function()
                local file, other, ended = opened(mode), opened(mode), 0
                local list = {}
                for i = 1, 20 do
                    list[i] = quoll.spawn(function()
                        local data, err = file:pread(20000, i)
                        assert.is_true(data == text:sub(i + 1, i + 20000)
                            or err == "closed")
                        ended = ended + 1
                        return other:pread(10, i)
                    end)
                end
                quoll.yield()
                file:close()
                for i, task in ipairs(list) do
                    assert.equal(text:sub(i + 1, i + 10), task:wait())
                end
                assert.equal(20, ended)
            end)
        end)

        it("are ended by a cancellation, and leave the rest alone", function()
            run(function()
                local file, list = opened(mode), {}
                for i = 1, 20 do
                    list[i] = quoll.spawn(function()
                        return file:pread(20000, i)
                    end)
                end
                quoll.yield()
                for i = 1, 20, 2 do
                    list[i]:cancel()
                end
                for i = 2, 20, 2 do
                    assert.equal(text:sub(i + 1, i + 20000), list[i]:wait())
                end
            end)
        end)
    end)
end
