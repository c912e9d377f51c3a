-- The Debian packages hold what the build tree has, and scripts run by what
-- they install, on a system that has nothing else.
local clean_system = require "spec.support.clean_system"
local helper = require "spec.helper"
local packaged = require "spec.support.packaged"

local succeeds = packaged.succeeds

describe("what is built", function()
    -- What a sanitizer needs at run time is in no package's dependencies.
    if helper.sanitized then
        pending "is packaged without sanitizers"
        return
    end

    local dir

    setup(function()
        dir = packaged.folder()
    end)

    teardown(function()
        packaged.shell("rm -r " .. dir)
    end)

    describe("becomes Debian packages", function()
        local packages = {} -- name -> path

        local function field(name, of)
            return (succeeds("dpkg-deb -f " .. packages[name] .. " " .. of)
                :gsub("\n$", ""))
        end

        -- Is it one of those that a package depends on?
        local function depends(name, on)
            local list = ", " .. field(name, "Depends") .. ", "
            return list:find(", " .. on .. ", ", 1, true)
                or list:find(", " .. on .. " (", 1, true)
        end

        setup(function()
            local made = succeeds(('DEBEMAIL=us@example.org DEBFULLNAME="A B" '
                .. "scripts/package %s %s/deb"):format(packaged.built, dir),
                100)
            for path in made:gmatch "[^\n]+%.deb" do
                packages[path:match "([^/_]*)_[^/]*$"] = path
            end
        end)

        it("that depend on what they load", function()
            local exact = "libquoll0 (= " .. field("libquoll0", "Version")
                .. ")"
            for name, list in pairs {
                ["libquoll0"] = { "libaio1", "libc6" },
                ["lua-quoll"] = { exact, "luajit", "libssl3", "libc-ares2",
                    "libnghttp2-14" },
                ["libquoll-dev"] = { exact, "libluajit-5.1-dev" },
            } do
                for _, other in ipairs(list) do
                    assert.truthy(depends(name, other), name .. ": " .. other
                        .. " in " .. field(name, "Depends"))
                end
            end
        end)

        it("in the name of who makes them", function()
            for name in pairs(packages) do
                assert.equal("A B <us@example.org>", field(name, "Maintainer"))
            end
        end)

        it("that hold, together, each file once that is installed", function()
            local listed = {}
            for name, path in pairs(packages) do
                for file in succeeds("dpkg-deb -c " .. path)
                    :gmatch " %.(/usr/[^ \n]*[^/\n])[ \n]" do
                    assert.is_nil(listed[file], file)
                    listed[file] = name
                end
            end
            succeeds(("DESTDIR=%s/all cmake --install %s/deb"):format(dir, dir))
            for file in io.lines(dir .. "/deb/install_manifest.txt") do
                assert.is_not_nil(listed[file], file)
                listed[file] = nil
            end
            assert.same({}, listed)
        end)

        it("that install where nothing but what they name is there",
            function()
                local lacks = clean_system.lacks()
                if lacks then
                    return pending(lacks)
                end
                local needed, paths = {}, {}
                for name, path in pairs(packages) do
                    needed[#needed + 1] = field(name, "Depends")
                    paths[#paths + 1] = path
                end
                local system = clean_system.make(dir .. "/system",
                    table.concat(needed, ", "))
                system:dpkg("-i " .. table.concat(paths, " "))
                succeeds("cp " .. dir .. "/script.lua " .. dir .. "/system/")
                assert.equal("served /x\n", system:run("luajit /script.lua",
                    helper.seconds(20)))
                system:dpkg "-r lua-quoll libquoll-dev libquoll0"
                assert.equal("", succeeds("find " .. dir .. "/system/usr "
                    .. "-name \"*quoll*\""))
            end)

        it("that run from where they are unpacked", function()
            for _, path in pairs(packages) do
                succeeds("dpkg-deb -x " .. path .. " " .. dir
                    .. "/unpacked")
            end
            local lib = succeeds("dirname " .. dir
                .. "/unpacked/usr/lib/*/libquoll.so.0"):gsub("\n", "")
            packaged.runs(dir, dir .. "/unpacked/usr/share/lua/5.1",
                lib .. "/lua/5.1", "LD_LIBRARY_PATH=" .. lib)
        end)
    end)
end)
