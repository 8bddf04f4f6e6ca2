import { type PolicyName, policies } from '../../../sidecar/balancer/policies.ts';
import { pickerContract } from '../../contract/picker.ts';

for (const name of Object.keys(policies) as PolicyName[]) {
  describe(`policy ${name}`, () => {
    pickerContract(policies[name]({ choiceCount: 2, activeRequestBias: 1 }));
  });
}
