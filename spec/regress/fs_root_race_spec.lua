-- What is below a root stays there while a directory of the path is exchanged
-- for a symbolic link that leads out of it, again and again.
local helper = require "spec.helper"
local calls = require "spec.support.calls"
local tasks = require "spec.support.tasks"
local quoll = require "quoll"
local fs = quoll.fs

local ROUNDS = 200

-- dir/site/sub, and dir/site/link, which leads to dir/out.
local function tree(dir)
    assert(fs.mkdir(dir .. "/site/sub", { parents = true }))
    assert(fs.mkdir(dir .. "/out"))
    assert(fs.writefile(dir .. "/out/secret", "secret", { sync = false }))
    assert(fs.symlink("../out", dir .. "/site/link"))
    return { root = dir .. "/site", sync = false }, { root = dir .. "/site" }
end

-- sub is the directory, nothing, the link, nothing, ... until stop().
local function exchange(dir)
    local stopped = false
    local task = quoll.spawn(function()
        local site = dir .. "/site/"
        while not stopped do
            assert(fs.rename(site .. "sub", site .. "kept"))
            assert(fs.rename(site .. "link", site .. "sub"))
            assert(fs.rename(site .. "sub", site .. "link"))
            assert(fs.rename(site .. "kept", site .. "sub"))
        end
    end)
    return function()
        stopped = true
        task:wait()
    end
end

-- Fails in the ways that the exchange explains, or not; what it returned.
local function may_fail(ok, err, code)
    assert.is_true(ok ~= nil or code == "EXDEV" or code == "ENOENT"
        or code == "EAGAIN" or code == "EEXIST" or code == "ENOTDIR"
        or code == "ENOTEMPTY", err)
    return ok
end

describe("a directory exchanged for a link that leads out", function()
    helper.gates()

    it("lets nothing out that is done below a root", function()
        calls.in_directory(function(dir)
            tasks.run(function()
                local save, root = tree(dir)
                local done = exchange(dir)
                for _ = 1, ROUNDS do
                    may_fail(fs.writefile("sub/secret", "mine", save))
                    may_fail(fs.append("sub/secret", "more", root))
                    may_fail(fs.mkdir("sub/new", root))
                    may_fail(fs.rmdir("sub/new", root))
                    local text = may_fail(fs.readfile("sub/secret", root))
                    assert.is_false(text == "secret")
                    may_fail(fs.copyfile("sub/secret", "copy", root))
                    may_fail(fs.rename("sub/secret", "moved", root))
                    may_fail(fs.unlink("sub/secret", root))
                end
                done()
                assert.equal("secret", calls.names(dir .. "/out"))
                assert.equal("secret", calls.read(dir .. "/out/secret"))
            end, 20)
        end)
    end)
end)
