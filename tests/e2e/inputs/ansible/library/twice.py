#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule(argument_spec={"number": {"type": "int"}})
module.exit_json(changed=False, twice=2 * module.params["number"])
