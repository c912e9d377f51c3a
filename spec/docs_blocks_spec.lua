-- Every block of every document is run.
local blocks = require "spec.support.docs.blocks"
local page = require "spec.support.docs.page"
local quoll = require "quoll"

local at_once = 4

describe("the blocks of", function()
    local results = {} -- path -> { problems, lacking }
    local paths = blocks.documents()

    setup(function()
        local runs = {}
        for i, path in ipairs(paths) do
            runs[i] = function()
                local ok, problems, lacking = pcall(page.run, path)
                results[path] = { ok and problems or { tostring(problems) },
                    lacking or {} }
                return true
            end
        end
        quoll.run(quoll.all, runs, at_once)
    end)

    for _, path in ipairs(paths) do
        it(path .. " do what it says", function()
            local problems, lacking = unpack(results[path])
            assert.equal("", table.concat(problems, "\n"))
            if lacking[1] then
                pending("without " .. table.concat(lacking, ", "))
            end
        end)
    end
end)
