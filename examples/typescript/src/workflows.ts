// An order, from the moment it is placed until it is shipped or cancelled. It knows nothing of Kafka.

import { condition, defineQuery, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';

export interface Line {
  sku: string;
  quantity: number;
}

export interface Placed {
  order_id: string;
  lines: Line[];
}

export interface Changed {
  sku: string;
  quantity: number;
}

export interface Shipped {
  parcel: string;
}

export interface Status {
  lines: Line[];
  parcel: string | null;
}

export const change = defineUpdate<Line[], [Changed]>('change');
export const ship = defineSignal<[Shipped]>('ship');
export const status = defineQuery<Status>('status');

export async function OrderWorkflow(placed: Placed): Promise<Status> {
  let lines = placed.lines;
  let parcel: string | null = null;

  setHandler(status, () => ({ lines, parcel }));
  setHandler(ship, (shipped) => {
    parcel = shipped.parcel;
  });
  setHandler(
    change,
    (changed) => {
      lines = lines.map((line) => (line.sku === changed.sku ? { ...line, quantity: changed.quantity } : line));
      return lines;
    },
    {
      // What this refuses is answered with command.rejected, reason refused_by_workflow.
      validator: (changed) => {
        if (!lines.some((line) => line.sku === changed.sku)) {
          throw new Error(`the order has no ${changed.sku}`);
        }
      },
    },
  );

  await condition(() => parcel !== null);
  return { lines, parcel };
}
