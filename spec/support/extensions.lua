-- extensions.lua: for specs of examples/ext: the extensions that were built.
local busted = require "busted"
local native = require "spec.support.native"

local extensions = {}

-- The Lua half of examples/ext/NAME.c. nil, and a pending test: it was not
-- built, for want of its library.
function extensions.load(name)
    local module = io.open(("%s/lib/lua/5.1/%s_core.so"):format(native.build,
        name))
    if not module then
        busted.pending("its library was not found")
        return nil
    end
    module:close()
    local path = "./examples/ext/?.lua;"
    if not package.path:find(path, 1, true) then
        package.path = path .. package.path
    end
    return require(name)
end

return extensions
