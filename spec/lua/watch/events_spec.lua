local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local core = require "quoll.core"
local IN = require("quoll.watch.source").IN
local process = require("quoll.watch.events").process
local steps = require "quoll.watch.steps"
local tree = require "quoll.watch.tree"

local all = 0x3ce

-- What is told of these events ({mask, name, to}), "type path" each.
local function told(known, events)
    for _, e in ipairs(events) do
        process(known, { wd = known.root.wd, mask = e[1], name = e[2] or "",
            to = e[3] })
    end
    local list = {}
    for event in known.take, known do
        list[#list + 1] = event.type .. " " .. event.path
    end
    return list
end

-- fn(tree, handle) in a task: a watch of this path whose steps are done.
local function with_tree(path, fn)
    tasks.run(function()
        local handle = assert(core.watch.open())
        local known = tree.new(path, {})
        local work = steps.new(handle, known, all)
        assert.is_true(work:work())
        fn(known, work)
    end)
end

describe("a watch's events", function()
    helper.gates()

    it("tells what a kernel's event means", function()
        with_tree("/tmp", function(known)
            assert.same({ "create /tmp/a", "modify /tmp/a", "attrib /tmp/a",
                "close_write /tmp/a", "delete /tmp/a", "move_from /tmp/b",
                "move_to /tmp/c" }, told(known, { { IN.CREATE, "a" },
                { IN.MODIFY, "a" }, { IN.ATTRIB, "a" },
                { IN.CLOSE_WRITE, "a" }, { IN.DELETE, "a" },
                { IN.MOVED_FROM, "b" }, { IN.MOVED_TO, "c" } }))
        end)
    end)

    it("joins paths with one slash", function()
        with_tree("/", function(known)
            assert.same({ "create /x" }, told(known,
                { { IN.CREATE, "x" } }))
        end)
    end)

    it("tells a rename by its new path, or as one half when the other's "
        .. "folder is not known", function()
        with_tree("/tmp", function(known)
            local here = { wd = known.root.wd, name = "b" }
            assert.same({ "rename /tmp/b", "move_from /tmp/c" },
                told(known, { { IN.MOVED_FROM, "a", here },
                    { IN.MOVED_FROM, "c", { wd = 9999, name = "d" } } }))
        end)
    end)

    for name, mask in pairs { deleted = IN.DELETE_SELF,
        moved = IN.MOVE_SELF, unmounted = IN.UNMOUNT,
        ["not watched any more"] = IN.IGNORED } do
        it("ends once when the thing itself is " .. name, function()
            with_tree("/tmp", function(known)
                assert.same({ "gone /tmp" }, told(known,
                    { { mask }, { IN.IGNORED } }))
                assert.is_true(known.ended)
            end)
        end)
    end

    it("does not know events of numbers that it has not got", function()
        with_tree("/tmp", function(known)
            process(known, { wd = 9999, mask = IN.CREATE, name = "a" })
            assert.is_nil(known:take())
        end)
    end)

    it("tells of an overflow", function()
        with_tree("/tmp", function(known, work)
            process(known, { wd = -1, mask = IN.Q_OVERFLOW, name = "" })
            assert.is_nil(known:take())
            assert.is_nil(work:work())
            assert.equal("overflow", known:take().type)
            assert.is_nil(known:take())
        end)
    end)
end)
