local tree = require "quoll.watch.tree"

-- A tree of /r with the folders a and a/b, numbers 1 to 3, nothing to do.
local function known()
    local self = tree.new("/r", { modify = false }, true)
    self:register(self.root, 1)
    local a = self:enter(self.root, "a")
    self:register(a, 2)
    local b = self:enter(a, "b")
    self:register(b, 3)
    while self:step() do
        self:step().node.planned = false
        self:done()
    end
    return self, a, b
end

-- The steps as "scan a" and "remove 3".
local function steps(self)
    local list = {}
    while self:step() do
        local step = self:step()
        list[#list + 1] = step.name .. " "
            .. tostring(step.wd or step.node and step.node.name)
        self:done()
    end
    return list
end

describe("a watch's tree", function()
    it("begins with a scan of its root", function()
        local self = tree.new("/r", {})
        assert.equal(self.root, self:step().node)
        self:done()
        assert.is_nil(self:step())
    end)

    it("knows the path of each folder, also after a move above it",
        function()
            local self, a, b = known()
            assert.equal("/r/a/b", tree.path_of(b))
            tree.detach(a)
            assert.is_nil(tree.path_of(b))
            a.parent, a.name = self.root, "c"
            assert.equal("/r/c/b", tree.path_of(b))
        end)

    it("joins with one slash", function()
        assert.equal("/x", tree.join("/", "x"))
        assert.equal("a/x", tree.join("a", "x"))
    end)

    it("tells what is wanted, in order", function()
        local self = known()
        self:tell("create", "/r/x", false)
        self:tell("modify", "/r/x", false)
        self:tell("rename", "/r/y/", true, { from = "/r/x" })
        assert.equal(2, self:told())
        assert.same({ type = "create", path = "/r/x", name = "x",
            directory = false }, self:take())
        assert.same({ type = "rename", path = "/r/y/", name = "y",
            directory = true, from = "/r/x" }, self:take())
        assert.is_nil(self:take())
    end)

    it("plans one scan of a folder at a time", function()
        local self, a = known()
        self:enter(self.root, "a")
        self:enter(self.root, "a")
        self:plan_scan(a)
        assert.same({ "scan a" }, steps(self))
    end)

    it("forgets a folder that lives on elsewhere with all below it",
        function()
            local self, a = known()
            self:forget(a)
            assert.same({ "remove 2", "remove 3" }, steps(self))
            assert.same({ self.root }, self.nodes)
            assert.is_nil(next(self.root.children))
        end)

    it("looks once more for a folder whose watch another name has",
        function()
            local self, a = known()
            local c = self:enter(self.root, "c")
            self:register(c, 2)
            assert.same({ "scan c", "scan a" }, steps(self))
            a.planned, c.planned = false, false
            self:register(a, 2)
            self:register(c, 2)
            assert.same({ "scan c" }, steps(self))
            assert.equal(c, self.nodes[2])
        end)

    it("removes the watch of a folder that another one has replaced",
        function()
            local self, a = known()
            self:register(a, 7)
            assert.same({ "remove 2" }, steps(self))
        end)

    it("tells what a scan of a new folder found once", function()
        local self, a = known()
        self:found(a, "x", false)
        self:found(a, "x", false)
        assert.equal(1, self:told())
        self:settle()
        assert.is_nil(a.seen)
        assert.is_nil(next(self.fresh))
    end)

    it("tells an overflow when it is asked to, once", function()
        local self = known()
        self:overflow()
        assert.equal(0, self:told())
        self:tell_overflow()
        self:tell_overflow()
        assert.equal(1, self:told())
    end)

    it("ends once; a root that cannot be watched ends it too", function()
        local self = known()
        self:unwatched(self.root, "no", "EACCES")
        self:gone()
        assert.equal("gone", self:take().type)
        assert.is_true(self.ended)
        assert.is_nil(self:take())
    end)

    it("tells of a folder that cannot be watched", function()
        local self, _, b = known()
        self:unwatched(b, "permission denied", "EACCES")
        assert.same({ type = "unwatched", path = "/r/a/b", name = "b",
            directory = true, err = "permission denied", code = "EACCES" },
            self:take())
    end)
end)
