-- kinds.lua: what is asked of the files that documents show, by the end of
-- their names: the program that reads such a file for a living.
local kinds = {}

-- Pattern of the name -> command in which %s is the name, and what it needs.
local readers = {
    { "%.service$", "systemd-analyze verify --man=no ./%s",
        "systemd-analyze" },
    { "%.socket$", "systemd-analyze verify --man=no ./%s",
        "systemd-analyze" },
    { "haproxy.*%.cfg$", "haproxy -c -f %s", "haproxy" },
    { "nginx.*%.conf$", "nginx -t -q -p \"$PWD\" -c \"$PWD/%s\"", "nginx" },
    { "%.json$", "luajit -e 'require(\"cjson\").decode(io.read(\"*a\"))' <%s",
        "luajit" },
    { "%.sh$", "bash -n %s", "bash" },
}

-- The command that reads a file of this name, and the program it needs; nil.
function kinds.reader(name)
    for _, reader in ipairs(readers) do
        if name:find(reader[1]) then
            return reader[2]:format(name), reader[3]
        end
    end
end

return kinds
