local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local folders = require "spec.support.folders"
local core = require "quoll.core"
local quoll = require "quoll"
local finish = require("quoll.wait").finish
local source = require "quoll.watch.source"
local IN = source.IN

local sh = folders.sh

describe("a watch's source", function()
    helper.gates()

    local dir, other
    before_each(function() dir, other = folders.make(), folders.make() end)
    after_each(function()
        folders.remove(dir)
        folders.remove(other)
    end)

    -- fn(source) in a task, of a watch of `dir`.
    local function with_source(fn)
        tasks.run(function()
            local handle = assert(core.watch.open())
            assert(finish(core.watch.add(handle, dir, 0x3c0)))
            fn(source.new(handle), handle)
        end)
    end

    -- The names of what comes, "a>b" for a rename.
    local function names(from)
        local list = {}
        while true do
            local event = from:peek(0.1)
            if not event then
                return list
            end
            list[#list + 1] = event.name
                .. (event.to and ">" .. event.to.name or "")
            from:drop()
        end
    end

    it("keeps an event until it is dropped", function()
        with_source(function(from)
            sh(dir, "mkdir a b")
            assert.equal("a", from:peek().name)
            assert.equal("a", from:peek().name)
            from:drop()
            assert.equal("b", from:peek().name)
        end)
    end)

    it("brings a rename's halves together", function()
        with_source(function(from)
            sh(dir, "mkdir a; mv a b; mkdir c; mv b d")
            assert.same({ "a", "a>b", "c", "b>d" }, names(from))
        end)
    end)

    it("leaves alone what has one half", function()
        with_source(function(from)
            sh(dir, ("mkdir a; mv a %s/x; mv %s/x c"):format(other, other))
            local list = {}
            for i = 1, 3 do
                local event = from:peek(5)
                list[i] = { event.name, event.mask % 0x1000, event.to }
                from:drop()
            end
            assert.same({ { "a", IN.CREATE }, { "a", IN.MOVED_FROM },
                { "c", IN.MOVED_TO } }, list)
        end)
    end)

    it("keeps nothing of what was dropped", function()
        with_source(function(from)
            sh(dir, ("mkdir a b; mv a c; mv b %s/x; mv %s/x d"):format(other,
                other))
            assert.same({ "a", "b", "a>c", "b", "d" }, names(from))
            assert.is_nil(next(from.halves))
            for i = 1, from.last do
                assert.is_nil(from[i])
            end
        end)
    end)

    it("gives up looking for the other half of a move in good time",
        function()
            with_source(function(from)
                for i = 1, 200 do
                    sh(dir, ("mkdir %d; mv %d %s/%d"):format(i, i, other, i))
                end
                local start = quoll.now()
                assert.equal(400, #names(from))
                assert.is_true(quoll.now() - start < 4)
            end)
        end)

    it("finds halves far apart among many", function()
        with_source(function(from)
            sh(dir, "for i in 1 2 3 4 5 6 7 8 9; do mkdir $i; mv $i a$i; done")
            local list = names(from)
            assert.equal(18, #list)
            assert.equal("9>a9", list[18])
        end)
    end)

    it("is empty when the kernel's queue is", function()
        with_source(function(from)
            assert.is_true(from:empty())
            sh(dir, "mkdir a")
            assert.is_false(from:empty())
            assert.equal("a", from:peek(0).name)
            from:drop()
            assert.is_true(from:empty())
        end)
    end)

    it("says why there is none", function()
        with_source(function(from, handle)
            assert.same({ nil, "timeout", "TIMEOUT" }, { from:peek(0) })
            handle:close()
            assert.same({ nil, "closed", "CLOSED" }, { from:peek() })
        end)
    end)
end)
