local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local folders = require "spec.support.folders"
local quoll = require "quoll"

local sh, told = folders.sh, folders.told

-- fn(watch, dir): a recursive watch of a new folder, after `before`.
local function watching(before, fn, events)
    local dir = folders.make()
    local ok, err = pcall(tasks.run, function()
        sh(dir, before)
        local w = assert(quoll.fs.watch(dir, { recursive = true,
            events = events or { "create", "delete", "rename", "move_from",
                "move_to" } }))
        fn(w, dir)
        w:close()
    end, 30)
    folders.remove(dir)
    assert(ok, err)
end

local function sorted(list)
    table.sort(list)
    return list
end

-- How often each line comes.
local function counts(list)
    local n = {}
    for _, line in ipairs(list) do
        n[line] = (n[line] or 0) + 1
    end
    return n
end

-- What else is told until the folder tells of files that are made in it.
local function until_watched(w, dir, folder)
    local others, seen = {}, false
    repeat
        sh(dir, "mktemp " .. folder .. "/try.XXXXXX >/dev/null")
        for _, line in ipairs(told(w, dir)) do
            if line:find("/try.", 1, true) then
                seen = true
            else
                others[#others + 1] = line
            end
        end
    until seen
    return others
end

describe("a recursive watch", function()
    helper.gates()

    it("tells of what is below its folder", function()
        watching("mkdir -p a/b c", function(w, dir)
            sh(dir, "echo > a/b/x; mkdir c/d; rm a/b/x")
            assert.same({ "create a/b/x", "create c/d/", "delete a/b/x" },
                sorted(told(w, dir, 3)))
        end)
    end)

    it("tells of all that a new folder gets, each once", function()
        watching("true", function(w, dir)
            sh(dir, "mkdir -p a/b/c/d; echo > a/b/x; echo > a/b/c/d/y")
            assert.same({ "create a/", "create a/b/", "create a/b/c/",
                "create a/b/c/d/", "create a/b/c/d/y", "create a/b/x" },
                sorted(told(w, dir, 6)))
            sh(dir, "echo > a/b/c/d/z")
            assert.same({ "create a/b/c/d/z" }, told(w, dir, 1))
        end)
    end)

    it("loses and doubles nothing while folders are made and read",
        function()
            watching("true", function(w, dir)
                local make = "for i in $(seq 40); do mkdir -p d$i/e$i; "
                    .. "for j in 1 2 3; do echo > d$i/e$i/f$j; done; done"
                os.execute(("(cd %s; %s) &"):format(dir, make))
                local n, files = counts(told(w, dir, 200)), 0
                for i = 1, 40 do
                    assert.equal(1, n[("create d%d/"):format(i)])
                    assert.equal(1, n[("create d%d/e%d/"):format(i, i)])
                    for j = 1, 3 do
                        files = files + n[("create d%d/e%d/f%d"):format(i, i,
                            j)]
                    end
                end
                assert.equal(120, files)
            end)
        end)

    it("knows a folder by its new name", function()
        watching("mkdir -p a/b", function(w, dir)
            sh(dir, "mv a c; echo > c/b/x")
            assert.same({ "rename a/ c/", "create c/b/x" }, told(w, dir, 2))
            sh(dir, "mv c/b d; echo > d/y")
            assert.same({ "rename c/b/ d/", "create d/y" }, told(w, dir, 2))
        end)
    end)

    it("tells two folders of one name apart", function()
        watching("mkdir a", function(w, dir)
            sh(dir, "mv a b; mkdir a; echo > b/old; echo > a/new")
            local n = counts(told(w, dir, 4))
            assert.equal(1, n["rename a/ b/"])
            sh(dir, "echo > b/x; echo > a/y")
            assert.same({ "create a/y", "create b/x" },
                sorted(told(w, dir, 2)))
        end)
    end)

    it("does not follow what has left it, and takes in what comes",
        function()
            watching("mkdir -p a/b", function(w, dir)
                local other = folders.make()
                finally(function() folders.remove(other) end)
                sh(dir, ("mv a %s/a; echo > %s/a/b/x"):format(other, other))
                assert.same({ "move_from a/" }, told(w, dir, 1))
                sh(dir, ("mv %s/a n"):format(other))
                assert.same({ "move_to n/", "create n/b/", "create n/b/x" },
                    told(w, dir, 3))
                sh(dir, "echo > n/b/y")
                assert.same({ "create n/b/y" }, told(w, dir, 1))
            end)
        end)

    it("does not follow symbolic links", function()
        watching("mkdir a; ln -s / a/root; ln -s . a/loop", function(w, dir)
            sh(dir, "echo > a/x")
            assert.same({ "create a/x" }, told(w, dir, 1))
        end)
    end)

    it("ends when its folder is deleted with all that is in it", function()
        watching("mkdir -p a/b; echo > a/b/x", function(w, dir)
            sh(dir, "rm -r " .. dir)
            local list = told(w, dir, 4)
            assert.same({ "delete a/b/x", "delete a/b/", "delete a/",
                "gone /" }, list)
        end)
    end)

    it("after an overflow, which it tells, watches what there is by then",
        function()
            watching("mkdir -p a gone/b", function(w, dir)
                local most = tonumber(io.open(
                    "/proc/sys/fs/inotify/max_queued_events"):read "*a")
                sh(dir, "echo > a/1")
                for _ = 1, most / 4 + 10 do -- two events each
                    assert(os.rename(dir .. "/a/1", dir .. "/a/2"))
                    assert(os.rename(dir .. "/a/2", dir .. "/a/1"))
                end
                sh(dir, "mkdir -p new/c; rm -r gone; mv a b")
                local event
                repeat
                    event = assert(w:next(5))
                until event.type == "overflow"
                assert.equal(dir, event.path)
                assert.same({}, until_watched(w, dir, "b"))
                assert.same({}, until_watched(w, dir, "new/c"))
                sh(dir, "echo > new/c/x; echo > b/y")
                local n = counts(told(w, dir, 2))
                assert.equal(1, n["create b/y"])
                assert.equal(1, n["create new/c/x"])
            end)
        end)

    it("of a file watches the file", function()
        local dir = folders.make()
        finally(function() folders.remove(dir) end)
        tasks.run(function()
            sh(dir, "echo > a")
            local w = assert(quoll.fs.watch(dir .. "/a",
                { recursive = true, events = { "modify" } }))
            sh(dir, "echo >> a")
            assert.equal("modify", w:next(5).type)
        end)
    end)
end)

describe("a recursive watch's faults", function()
    local function printed(source)
        local dir = folders.make()
        local result = helper.script([[
            local inject = require "spec.support.scripted"
            local folders = require "spec.support.folders"
            local quoll = require "quoll"
            local dir, sh = arg[1], folders.sh
        ]] .. source, { dir })
        folders.remove(dir)
        assert.equal(0, result.code, result.err)
        return (result.out:gsub(dir:gsub("%p", "%%%0"), "DIR"))
    end

    it("no watch left at its beginning is an error", function()
        assert.equal("nil\tDIR: no watches left "
            .. "(fs.inotify.max_user_watches)\tENOSPC\n", printed [[
                sh(dir, "mkdir a b")
                inject.ql_inject_fail("inotify_add_watch", -1, 2, 2, 28)
                print(quoll.fs.watch(dir, { recursive = true }))
            ]])
    end)

    it("no watch left later, or no permission, is told of the folder",
        function()
            assert.equal("unwatched\tDIR/a\tpermission denied\tEACCES\n"
                .. "create\tDIR/b\tnil\tnil\n"
                .. "unwatched\tDIR/b\tno space left on device\tENOSPC\n",
                printed [[
                    sh(dir, "mkdir a")
                    inject.ql_inject_fail("inotify_add_watch", -1, 2, 2, 13)
                    inject.ql_inject_fail("inotify_add_watch", -1, 3, 3, 28)
                    local w = assert(quoll.fs.watch(dir, { recursive = true,
                        events = { "create" } }))
                    sh(dir, "mkdir b")
                    for _, e in ipairs(folders.events(w, 3)) do
                        print(e.type, e.path, e.err, e.code)
                    end
                ]])
        end)
end)
