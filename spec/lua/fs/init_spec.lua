local helper = require "spec.helper"
local calls = require "spec.support.calls"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local fs = quoll.fs

describe("quoll.fs", function()
    helper.gates()

    it("opens files as quoll.open does", function()
        assert.equal(quoll.open, fs.open)
    end)

    it("returns one value where it succeeds, three where it fails",
        function()
            calls.in_directory(function(dir)
                local path = dir .. "/x"
                assert.equal(1, select("#", fs.writefile(path, "x")))
                assert.equal(1, select("#", fs.readfile(path)))
                assert.equal(1, select("#", fs.stat(path)))
                assert.equal(1, select("#", fs.realpath(path)))
                assert.equal(1, select("#", fs.unlink(path)))
                assert.equal(1, select("#", fs.readdir(dir)))
                assert.equal(1, select("#", fs.readdir(dir)()))
                assert.equal(3, select("#", fs.stat(path)))
                assert.equal(3, select("#", fs.readfile(path)))
                assert.equal(3, select("#", fs.readdir(path)))
            end)
        end)

    it("works on many paths at one time", function()
        calls.in_directory(function(dir)
            tasks.run(function()
                local writers = {}
                for i = 1, 200 do
                    writers[i] = quoll.spawn(function()
                        local path = ("%s/%03d/a/b"):format(dir, i % 20)
                        assert(fs.mkdir(path, { parents = true }))
                        assert(fs.writefile(path .. "/" .. i, i,
                            { sync = false }))
                        assert(fs.rename(path .. "/" .. i,
                            dir .. "/" .. i))
                        return fs.readfile(dir .. "/" .. i)
                    end)
                end
                for i = 1, 200 do
                    assert.equal(tostring(i), writers[i]:wait())
                end
                local n = 0
                for _, kind in fs.readdir(dir) do
                    n = n + (kind == "file" and 1 or 0)
                end
                assert.equal(200, n)
            end, 20)
        end)
    end)
end)
