-- The rock: `luarocks make` compiles the project, as it lies here, and scripts
-- run by what it installs.
local helper = require "spec.helper"
local packaged = require "spec.support.packaged"

local succeeds = packaged.succeeds

describe("the rock", function()
    -- It compiles the whole project, without what these suites test with:
    -- once is enough.
    if helper.sanitized or helper.injected or helper.collecting then
        pending "is compiled once: by the plain suite"
        return
    end

    local dir

    setup(function()
        dir = packaged.folder()
    end)

    teardown(function()
        packaged.shell("rm -r " .. dir)
    end)

    -- Compiled without optimizing: in a tenth of the time.
    it("is compiled, installed, run and removed", function()
        local rocks, tree = dir .. "/rocks", dir .. "/tree"
        local luarocks = ("cd %s && luarocks --lua-version=5.1 --tree %s ")
            :format(tree, rocks)
        succeeds(("mkdir %s && tar -C %s --exclude=./.git "
            .. '--exclude="./build*" -c . | tar -C %s -x'):format(tree,
            packaged.root, tree))
        succeeds(luarocks .. "lint quoll-scm-1.rockspec")
        local spec = assert(io.open(tree .. "/quoll-scm-1.rockspec", "a"))
        spec:write 'build.variables.CMAKE_BUILD_TYPE = "MinSizeRel"\n'
        spec:write 'build.variables.CMAKE_C_FLAGS_MINSIZEREL = "-O0"\n'
        spec:close()
        succeeds("export CMAKE_BUILD_PARALLEL_LEVEL=$(nproc); " .. luarocks
            .. "make --deps-mode=none quoll-scm-1.rockspec", 280)
        packaged.runs(dir, rocks .. "/share/lua/5.1", rocks .. "/lib/lua/5.1")
        succeeds(luarocks .. "remove quoll")
        assert.equal("", succeeds("find " .. rocks .. ' -name "*.lua" '
            .. '-path "*/quoll/*" -o -name "*.so*"'))
    end)
end)
